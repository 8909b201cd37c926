-- What some versions ($1 branches, $2 versions) know of other branches as far as one key of each is concerned ($3 tiers, $4 keys): by the
-- beginnings and merges of branches, as all keys do, and by synchronisations of that key, there and in what they know; and where in the log
-- they are.
select
  (
    select jsonb_object_agg(met.branch, met.version)
    from (
      select one.key::bigint as branch, max(one.value::bigint) as version
      from (
        select point.known
        union all
        select synced.known
        from (
          select wanted.branch, wanted.version
          union all
          select near.key::bigint, near.value::bigint from jsonb_each_text(point.known) near
        ) line
        cross join lateral (
          select one.known
          from :"state_known" one
          where one.branch = line.branch and one.tier = wanted.tier and one.key = wanted.key and one.version <= line.version
          order by one.version desc
          limit 1
        ) synced
      ) source
      cross join lateral jsonb_each_text(source.known) one
      where one.key::bigint <> wanted.branch
      group by one.key::bigint
    ) met
  ) as known,
  event.position
from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) with ordinality as wanted (branch, version, tier, key, nth)
-- One by one, by the indexes, whatever the planner thinks of how many there are.
left join lateral (select one.stream from :"state_branches" one where one.branch = wanted.branch offset 0) home on true
left join lateral (
  select at.position from :"schema".events at where at.stream = home.stream and at.version = wanted.version offset 0
) event on true
left join lateral (
  select one.known
  from :"state_points" one
  where one.branch = wanted.branch and one.version <= wanted.version
  order by one.version desc
  limit 1
) point on true
order by wanted.nth
