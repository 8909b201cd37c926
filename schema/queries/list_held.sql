-- The events that a subscription could not handle, or that wait behind such ones, in order of position.
select
  held.position, event.id, held.partition, held.stream, event.version, held.type, held.state, held.attempts, held.errors,
  held.due_at, held.held_at
from :"schema".held_events held
left join :"schema".event_rows event on event.position = held.position
where held.subscription = $1 and held.state = any ($2::text[]) and held.position > $3
order by held.position
limit $4
