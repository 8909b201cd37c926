-- Writes down how far the log is settled, for plain SQL and for standbys. It only grows, and nobody waits to write it.
create or replace function record_settled(reached bigint)
returns void
language plpgsql
volatile
security definer
set search_path from current
as $$
declare
  _now timestamptz := clock_timestamp();
begin
  update settled
  set position = reached, recorded_at = _now
  where one = (select one from settled where position < reached for update skip locked);
end
$$;

revoke execute on function record_settled from public;
