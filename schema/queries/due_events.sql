-- The events of a partition whose time to be tried again has come, or that were given up, the longest due first; and behind each, in
-- order, its share of those that wait for it alone.
with due as materialized (
  select position, stream, type, attempts, errors, state = 'dropped' as is_dropped, due_at
  from :"schema".held_events
  where subscription = $1 and partition = $2 and due_at <= clock_timestamp()
  order by due_at, position
  limit $3
)
select position, stream, type, attempts, errors, is_dropped, turn
from (
  select position, stream, type, attempts, errors, is_dropped, position as turn, due_at
  from due
  union all
  select behind.position, behind.stream, behind.type, behind.attempts, behind.errors, false, due.position, due.due_at
  from due
  cross join lateral (
    select waiting.position, waiting.stream, waiting.type, waiting.attempts, waiting.errors
    from :"schema".held_events waiting
    where waiting.subscription = $1 and waiting.partition = $2 and waiting.stream = due.stream
      and waiting.position > due.position and waiting.state = 'waiting'
    order by waiting.position
    limit $4::integer / (select greatest(count(*), 1) from due)
  ) behind
  where not exists (
    select from :"schema".held_events other
    where other.subscription = $1 and other.partition = $2 and other.stream = due.stream and other.state <> 'waiting'
      and other.position <> due.position
  )
) agenda
order by due_at, turn, position
