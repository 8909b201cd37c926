-- Every insert holds the log's shared lock before it draws a position: readers wait for the holders at a gap.
create or replace function hold_log_lock()
returns trigger
language plpgsql
set search_path from current
as $$
begin
  perform pg_advisory_xact_lock_shared(log.lock_key) from log;
  return null;
end
$$;
