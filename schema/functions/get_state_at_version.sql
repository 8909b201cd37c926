-- The state of an agent at a version of a branch; no row where the read model `states` has no such version.
create or replace function get_state_at_version(agent text, version bigint, branch text default 'main')
returns setof agent_state
language plpgsql
stable
set search_path from current
as $$
begin
  return query
    select state.*
    from read_state(state_stream(agent, branch), get_state_at_version.version) state
    where state.version = get_state_at_version.version;
end
$$;
