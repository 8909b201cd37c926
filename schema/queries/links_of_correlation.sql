-- In the next stretch of the log, of so many events: those of one piece of work. Where the stretch ends comes with every
-- row, and with an empty one where there is nothing.
with stretch as materialized (
  select position, id, meta
  from :"schema".log_events
  where position > $1 and position <= $2
  order by position
  limit $5
)
select ending.position as edge, hit.position, hit.id, hit.cause
from (select max(position) as position from stretch) ending
left join (
  select position, id, lower(meta ->> 'causationId') as cause
  from stretch
  where meta -> 'correlationId' = to_jsonb($3::text) or id = $4::uuid
  order by position
  limit $6
) hit on true
