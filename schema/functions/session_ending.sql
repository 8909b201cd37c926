-- The event that ends the session of a stream's branch that is over by a time: it removes the keys of the session tier, and its hash is
-- that of the state without them. Null where there is nothing to end, or somebody else has changed the branch since it was folded; or it
-- takes more than one event.
create or replace function session_ending(stream text, at timestamptz)
returns jsonb
language plpgsql
stable
set search_path from current
as $$
declare
  _semantics   constant integer := 1;
  _most_bytes  constant integer := 1024 * 1024;
  _standing    record;
  _session     text;
  _patch       jsonb;
  _rest        numeric;
  _known       boolean;
begin
  select * into _standing from state_standing(stream);
  select known.session into _session
  from state_branches known
  where known.branch = _standing.branch and known.session_ends_at <= session_ending.at;
  if not found or not _standing.is_live or not _standing.is_folded or _standing.is_damaged then
    return null;
  end if;

  select
    coalesce(jsonb_agg(jsonb_build_object('op', 'remove', 'path', state_pointer(held.tier, held.key))), '[]'),
    hash_number(_standing.hash) - coalesce(sum(hash_number(held.hash)), 0),
    coalesce(bool_and(held.hash is not null), true)
  into _patch, _rest, _known
  from state_keys_at(_standing.branch, _standing.folded, '{session}') held;
  if not _known or octet_length(_patch::text) > _most_bytes then
    return null;
  end if;
  return state_event(_standing.agent, 'StateSessionEnded', jsonb_build_object(
    'semantics', _semantics, 'patch', _patch, 'hash', number_hash(_rest), 'session', _session, 'why', 'expired'),
    reason => 'it expired');
end
$$;
