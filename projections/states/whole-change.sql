-- The first version and the last of the change that a version ($2) of a branch ($1) is a part of: what was too large for one event is several,
-- and each but the last names that one.
with part as (
  select event.stream, event.version,
    -- A checkpoint of several agents names another's event, too: it changes nothing, and is whole by itself.
    coalesce(case when event.data ? 'patch' then event.data ->> 'partOf' end, event.id::text) as whole
  from :"schema".state_branches branch
  join :"schema".events event on event.stream = branch.stream and event.version = $2::bigint
  where branch.branch = $1
)
select
  coalesce((
    select other.version + 1
    from :"schema".events other
    where other.stream = part.stream and other.version < part.version and other.data ->> 'partOf' is distinct from part.whole
    order by other.version desc
    limit 1
  ), 1) as first,
  coalesce((
    select other.version
    from :"schema".events other
    where other.stream = part.stream and other.version >= part.version and other.data ->> 'partOf' is distinct from part.whole
    order by other.version
    limit 1
  ), part.version) as last
from part
