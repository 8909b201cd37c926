-- The events of a branch ($1) up to a version ($2), and of those that it began with, the newest first: so many ($3), before a position ($4).
with recursive line as (
  select branch, stream, name, born, parent, parent_version, $2::bigint as up_to, 1 as depth
  from :"schema".state_branches
  where branch = $1
  union all
  select above.branch, above.stream, above.name, above.born, above.parent, above.parent_version, line.parent_version, line.depth + 1
  from line
  join :"schema".state_branches above on above.branch = line.parent
)
select
  line.name as branch, event.position, event.id, event.version, event.type, event.data, event.meta, event.recorded_at
from line
cross join lateral (
  select *
  from :"schema".events event
  where event.stream = line.stream and event.version >= line.born
    and event.version <= case when $4::bigint is null then line.up_to
      else least(line.up_to, :"schema".version_at_position(line.stream, $4 - 1)) end
  order by event.version desc
  limit $3
) event
order by line.depth, event.version desc
limit $3
