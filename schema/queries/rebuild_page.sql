-- How far so many events go after a position, how many of them a fold wants, and whether one of those is older than its type.
select
  max(page.position) as last,
  count(*)::integer as seen,
  count(wanted.type)::integer as wanted,
  coalesce(bool_or(page.schema_version < wanted.version), false) as outdated
from (
  select position, type, schema_version
  from :"schema".log_events
  where position > $1 and position <= $2
  order by position
  limit $3
) page
left join unnest($4::text[], $5::integer[]) as wanted (type, version) on wanted.type = page.type
