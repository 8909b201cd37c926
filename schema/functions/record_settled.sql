-- Writes down how far the log is settled, for plain SQL and for standbys. It only grows, and nobody waits to write it:
-- returns whether it is written down, by whomever; false where somebody else is writing in this moment.
create or replace function record_settled(reached bigint)
returns boolean
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
  return found or exists (select from settled where position >= reached);
end
$$;

revoke execute on function record_settled from public;
