-- The branch that a stream had at a version, since a name may have been given to one branch after the other; null where it had none then,
-- or it was deleted by then. Raises TM013 where it is damaged there.
--   up_to   the version, or the last one that the read model `states` has folded
create or replace function state_branch_at(stream text, version bigint, out branch bigint, out agent text, out name text, out up_to bigint)
language plpgsql
stable
set search_path from current
as $$
declare
  _faults  jsonb;
  _fault   jsonb;
begin
  select known.branch, known.agent, known.name, least(known.version, state_branch_at.version), known.faults
  into branch, agent, name, up_to, _faults
  from state_branches known
  where known.stream = state_branch_at.stream and known.born <= state_branch_at.version
    and (known.deleted_at is null or known.version >= state_branch_at.version)
  order by known.born desc
  limit 1;

  if is_passed_over(_faults, version) then
    select fault.value into _fault
    from jsonb_array_elements(_faults) as fault (value)
    where is_passed_over(jsonb_build_array(fault.value), state_branch_at.version)
    limit 1;
    perform refuse_damaged(agent, name, (_fault ->> 'version')::bigint, (_fault ->> 'good')::bigint);
  end if;
end
$$;
