-- What makes a branch again what it was at a version: the data of the event but for its checkpoint, none where it is so already; the keys
-- that it changes, as pointers; and the hash of the state then. No value is hashed anew: each key has its hash, and that of the state
-- is their sum. With `merge`, keys that were not there then stay. Raises TM009, TM013, TM014.
create or replace function plan_restore(
  agent        text,
  branch       text,
  version      bigint,
  merge        boolean,
  out data     jsonb,
  out changed  text[],
  out hash     text
)
language plpgsql
stable
set search_path from current
as $$
declare
  _newest       constant bigint  := 9223372036854775807;
  _semantics    constant integer := 1;
  _stream       text    := state_stream(agent, branch);
  _now          record;
  _then         record;
  _tiers        text[];
  _keys         text[];
  _patch        jsonb;
  _difference   numeric;
  _known        boolean;
begin
  select * into _now from state_standing(_stream);
  perform state_branch_at(_stream, _newest);
  select * into _then from state_branch_at(_stream, version);
  if not _now.is_live or _then.branch is null then
    perform refuse_branch(agent, branch);
  end if;

  select array_agg(differing.tier), array_agg(differing.key) into _tiers, _keys
  from changed_state_keys(_then.branch, _then.up_to, _now.branch, _now.folded) differing;

  select
    coalesce(jsonb_agg(one.operation order by one.pointer collate "C"), '[]'),
    coalesce(array_agg(one.pointer order by one.pointer collate "C"), '{}'),
    coalesce(sum(one.difference), 0),
    coalesce(bool_and(one.is_known), true)
  into _patch, changed, _difference, _known
  from (
    select
      state_pointer(tier, key) as pointer,
      case when was.home is null then jsonb_build_object('op', 'remove', 'path', state_pointer(tier, key))
        else jsonb_build_object('op', 'add', 'path', state_pointer(tier, key),
          'value', coalesce(was.value, state_value_at(was.home, tier, key, was.since))) end as operation,
      hash_number(was.hash) - hash_number(held.hash) as difference,
      (was.home is null or was.hash is not null) and (held.home is null or held.hash is not null) as is_known
    from state_keys_at(_then.branch, _then.up_to, '{}', _tiers, _keys) was
    full join state_keys_at(_now.branch, _now.folded, '{}', _tiers, _keys) held using (tier, key)
    where (was.hash = held.hash) is not true and not (plan_restore.merge and was.home is null)
  ) one;

  hash := number_hash(hash_number(_now.hash) + _difference);
  -- What is kept ready is damaged, or the key of the agent's hashes is gone.
  if not _known or not merge and hash <> state_hash_at(_stream, _then.up_to) then
    perform refuse_damaged(agent, branch, _then.up_to, null);
  end if;

  if _patch <> '[]' then
    data := jsonb_build_object(
      'semantics', _semantics, 'patch', _patch, 'hash', hash, 'merged', merge,
      'to', jsonb_build_object('branch', _then.branch, 'version', version)
    );
    perform check_event_size(_stream, data);
  end if;
end
$$;
