-- The event that ends the session of a stream's branch that is over by a time: it removes the keys of the session tier, and its hash is
-- that of the state without them. Where one event cannot name all of these, it is one that removes as many as it can; the rest is for the
-- next call. Null where there is nothing to end, or somebody else has changed the branch since it was folded.
create or replace function session_ending(stream text, at timestamptz)
returns jsonb
language plpgsql
stable
set search_path from current
as $$
declare
  _semantics   constant integer := 1;
  _most_bytes  constant integer := 1000 * 1000;
  _standing    record;
  _session     text;
  _patch       jsonb;
  _rest        numeric;
  _known       boolean;
  _data        jsonb;
  _is_all      boolean;
begin
  select * into _standing from state_standing(stream);
  select known.session into _session
  from state_branches known
  where known.branch = _standing.branch and known.session_ends_at <= session_ending.at;
  if not found or not _standing.is_live or not _standing.is_folded or _standing.is_damaged then
    return null;
  end if;

  select
    coalesce(jsonb_agg(one.operation) filter (where one.bytes <= _most_bytes), '[]'),
    hash_number(_standing.hash) - coalesce(sum(hash_number(one.hash)) filter (where one.bytes <= _most_bytes), 0),
    coalesce(bool_and(one.hash is not null), true),
    coalesce(bool_and(one.bytes <= _most_bytes), true)
  into _patch, _rest, _known, _is_all
  from (
    select removal.operation, held.hash, sum(octet_length(removal.operation::text)) over (order by held.key collate "C") as bytes
    from state_keys_at(_standing.branch, _standing.folded, '{session}') held
    cross join lateral (select jsonb_build_object('op', 'remove', 'path', state_pointer(held.tier, held.key)) as operation) removal
  ) one;
  if not _known then
    return null;
  end if;

  _data := jsonb_build_object('semantics', _semantics, 'patch', _patch, 'hash', number_hash(_rest));
  if _is_all then
    return state_event(_standing.agent, 'StateSessionEnded', _data || jsonb_build_object('session', _session, 'why', 'expired'),
      reason => 'it expired');
  end if;
  return state_event(_standing.agent, 'StateChanged', _data, reason => 'it expired');
end
$$;
