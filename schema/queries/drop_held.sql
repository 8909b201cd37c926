-- Parked events are given up: one of them, or so many of all. Who waits behind one comes next.
with dropped as (
  delete from :"schema".held_events
  where subscription = $1
    and position in (
      select position
      from :"schema".held_events
      where subscription = $1 and state = 'parked' and ($2::bigint is null or position = $2)
      order by position
      limit $3
    )
  returning position, stream, type, attempts
),
next as (
  update :"schema".held_events held
  set state = 'retrying', due_at = clock_timestamp()
  where held.subscription = $1
    and held.position in (
      select min(other.position)
      from :"schema".held_events other
      where other.subscription = $1
        and other.stream in (select stream from dropped)
        and not other.position in (select position from dropped)
      group by other.stream
      having bool_and(other.state = 'waiting')
    )
)
select dropped.position, event.id, dropped.stream, dropped.type, dropped.attempts
from dropped
left join :"schema".event_rows event on event.position = dropped.position
order by dropped.position
