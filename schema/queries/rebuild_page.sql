-- How far so many events go after a position, how many of them a fold wants ($4), and whether one is older than its type is now:
-- $5 and $6 are the types that have changed, and their versions.
select
  max(position) as last,
  count(*)::integer as seen,
  count(*) filter (where type = any ($4))::integer as wanted,
  coalesce(bool_or(schema_version < ($6::integer[])[array_position($5::text[], type)]), false) as outdated
from (
  select position, type, schema_version
  from :"schema".log_events
  where position > $1 and position <= $2 and :"schema".reaches($2)
  order by position
  limit $3
) page
