-- The events that changed a key ($3, $4) of a branch ($1) up to a version ($2), the newest first: so many ($5), before a position ($6).
with recursive line as (
  select branch, stream, name, parent, parent_version, $2::bigint as up_to, 1 as depth
  from :"schema".state_branches
  where branch = $1
  union all
  select above.branch, above.stream, above.name, above.parent, above.parent_version, line.parent_version, line.depth + 1
  from line
  join :"schema".state_branches above on above.branch = line.parent
)
select
  line.name as branch, event.position, event.id, event.version, event.type, event.data, event.meta, event.recorded_at
from line
cross join lateral (
  select version
  from :"schema".state_key_versions
  where branch = line.branch and tier = $3 and key = $4
    and version <= case when $6::bigint is null then line.up_to
      else least(line.up_to, :"schema".version_at_position(line.stream, $6 - 1)) end
  order by version desc
  limit $5
) changed
join :"schema".events event on event.stream = line.stream and event.version = changed.version
order by line.depth, changed.version desc
limit $5
