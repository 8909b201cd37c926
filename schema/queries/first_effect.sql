-- In the next stretch of the log, of so many events: where it ends, and the first event that known ones led to.
select
  max(position) as edge,
  min(position) filter (where lower(meta ->> 'causationId') in (select unnest($3::text[]))) as hit
from (
  select position, meta
  from :"schema".log_events
  where position > $1 and position <= $2
  order by position
  limit $4
) stretch
