-- In the stretch of the log that ends at a position, of so many events: those that concern an agent, the newest first. Where the
-- stretch begins comes with every row, and with an empty one where there is nothing.
with stretch as materialized (
  select position, id, stream, labels, meta
  from :"schema".log_events
  where position <= $1
  order by position desc
  limit $3
)
select beginning.position as edge, hit.position, hit.id, hit.cause
from (select min(position) as position from stretch) beginning
left join (
  select position, id, lower(meta ->> 'causationId') as cause
  from stretch
  where substr(stream, strpos(stream, '-') + 1) = $2
    or meta -> 'actor' = to_jsonb($2::text)
    or labels @> array['agent:' || $2]
  order by position desc
  limit $4
) hit on true
