-- The state of an agent as the read model `states` has it: settled, which may be a moment behind the log.
create or replace function get_current_state(agent text, branch text default 'main')
returns setof agent_state
language plpgsql
stable
set search_path from current
as $$
declare
  -- No version is beyond this one.
  _newest  constant bigint := 9223372036854775807;
begin
  return query select * from read_state(state_stream(agent, branch), _newest);
end
$$;
