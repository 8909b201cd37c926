-- What some versions of branches that are folded as far as their beginnings know of other branches, as far as one key of each is concerned: by
-- the beginnings and merges of branches, as all keys do, and by synchronisations of that key, there and in what they know; and where in the log
-- they are. What is not folded yet, events tell. Of the branch itself is told when the key was last decided about there.
--   is_known     false where a merge or a repair is among these: what is known by that has to be folded first
--   is_its_own   nothing of it is by a beginning or a merge of branches
create or replace function known_of_keys(branches bigint[], versions bigint[], tiers text[], keys text[])
returns table (known jsonb, "position" bigint, is_known boolean, is_its_own boolean)
language plpgsql
stable
set search_path from current
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  return query
    select
      (
        select jsonb_object_agg(met.branch, met.version)
        from (
          select one.key::bigint as branch, max(one.value::bigint) as version
          from (
            select point.known, false as is_own
            union all
            select synced.known, line.branch = wanted.branch
            from (
              select wanted.branch, wanted.version
              union all
              select near.key::bigint, near.value::bigint from jsonb_each_text(point.known) near
            ) line
            cross join lateral (
              (
                select said.known -> 'branches' as known, event.version
                from state_branches folded
                cross join lateral (
                  select one.type, one.version, one.data
                  from events one
                  where one.stream = folded.stream and one.version > folded.version and one.version <= line.version
                  offset 0
                ) event
                cross join lateral jsonb_array_elements(event.data -> 'known') said (known)
                where folded.branch = line.branch and event.type = 'StateSynced'
                  and said.known -> 'keys' ? state_pointer(wanted.tier, wanted.key)
              )
              union all
              (
                select one.known, one.version
                from state_known one
                where one.branch = line.branch and one.tier = wanted.tier and one.key = wanted.key and one.version <= line.version
                order by one.version desc
                limit 1
              )
              order by version desc
              limit 1
            ) synced
          ) source
          cross join lateral jsonb_each_text(source.known) one
          where one.key::bigint <> wanted.branch or source.is_own
          group by one.key::bigint
        ) met
      ),
      event.position,
      not coalesce(unfolded.is_more, false),
      point.known is null
    from unnest(known_of_keys.branches, known_of_keys.versions, known_of_keys.tiers, known_of_keys.keys) with ordinality
      as wanted (branch, version, tier, key, nth)
    left join state_branches home on home.branch = wanted.branch
    -- One by one: the planner takes every stream for a short one, where most are.
    left join lateral (
      select at.position from events at where at.stream = home.stream and at.version = wanted.version offset 0
    ) event on true
    left join lateral (
      select bool_or(later.type in ('StateMerged', 'StateRepaired', 'StateParentRepaired')) as is_more
      from events later
      where later.stream = home.stream and later.version > home.version and later.version <= wanted.version
    ) unfolded on true
    left join lateral (
      select one.known
      from state_points one
      where one.branch = wanted.branch and one.version <= wanted.version
      order by one.version desc
      limit 1
    ) point on true
    order by wanted.nth;
end
$$;
