-- The branches that begin with a version of one ($1) after $2 and before $3, and those that begin with one of them, the older first: with
-- which version of it that was, and where in their streams they begin and end.
with recursive heir as (
  select child.branch, child.parent_version as since
  from :"state_branches" child
  where child.parent = $1 and child.parent_version > $2 and child.parent_version < $3
  union all
  select child.branch, heir.since
  from heir
  join :"state_branches" child on child.parent = heir.branch
)
select
  heir.branch::float8, heir.since::float8, branch.stream, branch.born::float8, branch.deleted_at is null as "isLive",
  coalesce(next.born, 9007199254740991)::float8 as ends, branch.parent::float8, branch.parent_version::float8 as forked
from heir
join :"state_branches" branch on branch.branch = heir.branch
left join lateral (
  select min(later.born) as born
  from :"state_branches" later
  where later.stream = branch.stream and later.branch > branch.branch
) next on true
order by heir.branch
