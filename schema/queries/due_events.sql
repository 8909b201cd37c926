-- The events of a partition whose time to be tried again has come, in order of position.
select position, stream, type, attempts, errors
from :"schema".held_events
where subscription = $1 and partition = $2 and state = 'retrying' and due_at <= clock_timestamp()
order by position
limit $3
