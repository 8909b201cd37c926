-- The state of an agent at a time, by the database's clock: after the last event of the branch that was recorded by then. No row where
-- there was none yet, or the branch was deleted by then.
create or replace function get_state_at_time(agent text, "time" timestamptz, branch text default 'main')
returns setof agent_state
language plpgsql
stable
set search_path from current
as $$
declare
  _stream   text := state_stream(agent, branch);
  _version  bigint := version_at_time(_stream, get_state_at_time.time);
begin
  -- The end of a branch is an event of it, too, and a version that stays.
  if exists (
    select from events event where event.stream = _stream and event.version = _version and event.type = 'StateBranchDeleted'
  ) then
    return;
  end if;
  return query select * from read_state(_stream, _version);
end
$$;
