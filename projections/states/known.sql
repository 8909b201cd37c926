-- What some versions ($1 branches, $2 versions) know of other branches, by the last beginning or merge before each.
select one.nth, point.known
from unnest($1::bigint[], $2::bigint[]) with ordinality as one (branch, version, nth)
left join lateral (
  select known
  from :"schema".state_points
  where branch = one.branch and version <= one.version
  order by version desc
  limit 1
) point on true
order by one.nth
