-- Parked events are given up; one of them, or all. Who waits behind one comes next.
with dropped as (
  delete from :"schema".held_events
  where subscription = $1 and state = 'parked' and ($2::bigint is null or position = $2)
  returning position, stream, type, attempts
),
next as (
  update :"schema".held_events held
  set state = 'retrying', due_at = clock_timestamp()
  where held.subscription = $1 and held.state = 'waiting'
    and held.position in (
      select min(waiting.position)
      from :"schema".held_events waiting
      where waiting.subscription = $1 and waiting.stream in (select stream from dropped)
        and waiting.position not in (select position from dropped)
      group by waiting.stream
    )
)
select dropped.position, event.id, dropped.stream, dropped.type, dropped.attempts
from dropped
left join :"schema".event_rows event on event.position = dropped.position
order by dropped.position
