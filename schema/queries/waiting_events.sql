-- The events of a stream that wait behind one that could not be handled, in order; none while there is one that still cannot.
select position, stream, type, attempts, errors
from :"schema".held_events
where subscription = $1 and partition = $2 and stream = $3 and state = 'waiting'
  and not exists (
    select from :"schema".held_events ahead
    where ahead.subscription = $1 and ahead.partition = $2 and ahead.stream = $3 and ahead.state <> 'waiting'
  )
order by position
limit $4
