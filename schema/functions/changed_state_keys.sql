-- The keys that may differ between two versions, each of a branch that is folded as far as its beginning. What both have in common of their
-- lineages, up to the older of both, differs in nothing; what is not folded yet, its events tell.
create or replace function changed_state_keys(branch bigint, version bigint, other bigint, other_version bigint)
returns table (tier text, key text)
language plpgsql
stable
set search_path from current
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  return query
    with side as (
      select line.branch, case when line.depth = 1 then one.version else line.up_to end as up_to
      from (values (changed_state_keys.branch, changed_state_keys.version), (other, other_version)) as one (branch, version)
      join state_branches known on known.branch = one.branch
      cross join unnest(known.lineage, known.lineage_up_to) with ordinality as line (branch, up_to, depth)
    ),
    stretch as (
      select side.branch, case when count(*) > 1 then min(side.up_to) else 0 end as after, max(side.up_to) as up_to
      from side
      group by side.branch
    )
    select distinct changed.tier, changed.key
    from stretch
    cross join lateral (
      select one.tier, one.key
      from state_key_versions one
      where one.branch = stretch.branch and one.version + 0 > stretch.after and one.version + 0 <= stretch.up_to
      union all
      select place.path[1] collate "C", place.path[2] collate "C"
      from state_branches known
      join events event
        on event.stream = known.stream and event.version > greatest(stretch.after, known.version) and event.version <= stretch.up_to
      cross join lateral jsonb_array_elements(
        case when jsonb_typeof(event.data -> 'patch') = 'array' then event.data -> 'patch' else '[]' end
      ) operation
      cross join lateral (values (operation ->> 'path'), (operation ->> 'from')) as pointer (pointer)
      cross join lateral pointer_path(pointer.pointer) as place (path)
      where known.branch = stretch.branch and pointer.pointer is not null
    ) changed
    order by changed.tier, changed.key;
end
$$;
