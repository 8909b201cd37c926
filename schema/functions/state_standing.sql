-- How a branch stands that a stream has, or had last: what the read model `states` has folded of it, and what the log has beyond that.
--   folded      the version up to which it is folded; 0 where nothing is
--   is_folded   nothing that the log has beyond that changes the branch
--   is_live     it is there, by the log
--   is_damaged  its folding has ended at a version that the log and its hashes disagree on
create or replace function state_standing(
  stream         text,
  out branch     bigint,
  out agent      text,
  out name       text,
  out folded     bigint,
  out hash       bytea,
  out is_folded  boolean,
  out is_live    boolean,
  out is_damaged boolean
)
language plpgsql
stable
set search_path from current
as $$
declare
  _deleted_at  timestamptz;
  _last        text;
begin
  select known.branch, known.agent, known.name, known.version, known.hash, known.faults @> '[{"repaired": null}]', known.deleted_at
  into branch, agent, name, folded, hash, is_damaged, _deleted_at
  from state_branches known
  where known.stream = state_standing.stream
  order by known.branch desc
  limit 1;
  folded := coalesce(folded, 0);
  is_damaged := coalesce(is_damaged, false);

  select
    not coalesce(bool_or(event.data ? 'patch' or event.type in ('StateBranched', 'StateBranchDeleted', 'StateRepaired', 'StateParentRepaired')), false),
    (array_agg(event.type order by event.version desc) filter (where event.type in ('StateCreated', 'StateBranched', 'StateBranchDeleted')))[1]
  into is_folded, _last
  from events event
  where event.stream = state_standing.stream and event.version > folded;
  is_live := case when _last is null then branch is not null and _deleted_at is null else _last <> 'StateBranchDeleted' end;
end
$$;
