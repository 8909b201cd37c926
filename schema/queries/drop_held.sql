-- Parked events are given up: one of them, or so many of all. The owner of their partition takes them away, since only it knows
-- what it is about to put behind them, and goes on with what waits there.
with parked as (
  select position
  from :"schema".held_events
  where subscription = $1 and state = 'parked' and ($2::bigint is null or position = $2)
  order by position
  limit $3
  for update
),
dropped as (
  update :"schema".held_events held
  set state = 'dropped', due_at = clock_timestamp()
  from parked
  where held.subscription = $1 and held.position = parked.position
  returning held.position, held.stream, held.type, held.attempts
)
select dropped.position, event.id, dropped.stream, dropped.type, dropped.attempts
from dropped
left join :"schema".event_rows event on event.position = dropped.position
order by dropped.position
