-- What some versions ($1 branches, $2 versions) know of other branches, by the last beginning or merge before each; and where in the
-- log they are.
select point.known, event.position
from unnest($1::bigint[], $2::bigint[]) with ordinality as one (branch, version, nth)
join :"schema".state_branches home on home.branch = one.branch
-- One by one: the planner takes every stream for a short one, where most are.
cross join lateral (
  select at.position from :"schema".events at where at.stream = home.stream and at.version = one.version offset 0
) event
left join lateral (
  select known
  from :"schema".state_points
  where branch = one.branch and version <= one.version
  order by version desc
  limit 1
) point on true
order by one.nth
