-- The streams of a partition of which events are held, so many at most. One after the other by their index, however many events of
-- each are held.
with recursive held as (
  (
    select stream
    from :"schema".held_events
    where subscription = $1 and partition = $2
    order by stream
    limit 1
  )
  union all
  select (
    select next.stream
    from :"schema".held_events next
    where next.subscription = $1 and next.partition = $2 and next.stream > held.stream
    order by next.stream
    limit 1
  )
  from held
  where held.stream is not null
)
select stream
from held
where stream is not null
limit $3
