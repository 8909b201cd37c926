-- The last commit before a version ($2) of a branch ($1), on the branches that it began with, too; where there is none, the very beginning.
with recursive line as (
  select branch, stream, born, parent, parent_version, $2::bigint - 1 as up_to, 1 as depth
  from :"schema".state_branches
  where branch = $1
  union all
  select above.branch, above.stream, above.born, above.parent, above.parent_version, line.parent_version, line.depth + 1
  from line
  join :"schema".state_branches above on above.branch = line.parent
)
(
  select line.branch, commit.version
  from line
  cross join lateral (
    select event.version
    from :"schema".events event
    where event.stream = line.stream and event.version between line.born and line.up_to and event.type = 'StateCommitted'
    order by event.version desc
    limit 1
  ) commit
  order by line.depth
  limit 1
)
union all
(
  select branch, born
  from line
  where parent is null and born <= up_to
)
limit 1
