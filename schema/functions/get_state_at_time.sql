-- The state of an agent at a time, by the database's clock: after the last event of the branch that was recorded by then. No row where
-- there was none yet.
create or replace function get_state_at_time(agent text, "time" timestamptz, branch text default 'main')
returns setof agent_state
language plpgsql
stable
set search_path from current
as $$
declare
  _stream  text := state_stream(agent, branch);
begin
  return query select * from read_state(_stream, version_at_time(_stream, get_state_at_time.time));
end
$$;
