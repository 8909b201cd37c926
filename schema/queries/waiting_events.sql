-- The events of a stream that wait for the one before them to be handled, after a position, in order.
select position, stream, type, attempts, errors, false as is_dropped
from :"schema".held_events
where subscription = $1 and partition = $2 and stream = $3 and position > $4 and attempts = 0
  and state in ('waiting', 'retrying')
order by position
limit $5
