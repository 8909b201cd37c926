-- The state that a stream had at a version, as far as the read model `states` has folded it: at the last version that it has, where that
-- is an earlier one. No row where the stream had no branch then, or it was deleted by then. Raises TM013 where it is damaged there.
create or replace function read_state(stream text, version bigint)
returns setof agent_state
language plpgsql
stable
set search_path from current
as $$
declare
  _branch  record;
  _state   agent_state;
begin
  select * into _branch from state_branch_at(stream, version);
  if _branch.branch is null then
    return;
  end if;

  _state.agent := _branch.agent;
  _state.branch := _branch.name;
  _state.version := _branch.up_to;

  -- Tier by tier in one go: an object of all would be taken apart again.
  select
    coalesce(jsonb_object_agg(held.key, held.value) filter (where held.tier = 'local'), '{}'),
    coalesce(jsonb_object_agg(held.key, held.value) filter (where held.tier = 'shared'), '{}'),
    coalesce(jsonb_object_agg(held.key, held.value) filter (where held.tier = 'session'), '{}'),
    coalesce(jsonb_object_agg(held.key, held.value) filter (where held.tier = 'persistent'), '{}')
  into _state.local_state, _state.shared_state, _state.session_state, _state.persistent_state
  from (
    select key.tier, key.key, coalesce(key.value, state_value_at(key.home, key.tier, key.key, key.since)) as value
    from state_keys_at(_branch.branch, _branch.up_to, '{local,shared,session,persistent}') key
  ) held;

  select state_hash_at(event.stream, event.version), event.recorded_at into _state.state_hash, _state.recorded_at
  from events event
  where event.stream = read_state.stream and event.version = _branch.up_to;
  return next _state;
end
$$;
