-- The version before a version ($2) of a branch ($1): that of its own, or that which it began with.
select
  case when $2::bigint > born then branch else parent end as branch,
  case when $2::bigint > born then $2::bigint - 1 else parent_version end as version
from :"schema".state_branches
where branch = $1 and ($2::bigint > born or parent is not null)
