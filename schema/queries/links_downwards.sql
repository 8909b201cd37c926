-- In the next stretch of the log, of so many events: what known events led to, and what that led to, without those that are
-- known. Where the stretch ends comes with every row, and with an empty one where there is nothing.
with recursive stretch as materialized (
  select position, id, lower(meta ->> 'causationId') as cause
  from :"schema".log_events
  where position > $1 and position <= $2
  order by position
  limit $4
),
linked as materialized (
  select position, id::text as id, cause
  from stretch
  where cause is not null
),
found as (
  select linked.position, linked.id, linked.cause
  from linked
  join unnest($3::text[]) as known (id) on known.id = linked.cause
  union
  select linked.position, linked.id, linked.cause
  from found
  join linked on linked.cause = found.id
)
select ending.position as edge, hit.position, hit.id, hit.cause
from (select max(position) as position from stretch) ending
left join (
  select position, id, cause
  from found
  where not exists (select from unnest($3::text[]) as known (id) where known.id = found.id)
  limit $5
) hit on true
