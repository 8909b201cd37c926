-- Every insert holds the log's shared lock before it draws a position: readers wait for the holders at a gap.
-- The key comes with the trigger, and the lock is taken by an assignment, because this runs once per append.
create or replace function hold_log_lock()
returns trigger
language plpgsql
as $$
declare
  _held text;
begin
  _held := pg_catalog.pg_advisory_xact_lock_shared(tg_argv[0]::bigint);
  return null;
end
$$;
