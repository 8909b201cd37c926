-- The events of a partition whose time to be tried again has come, or that were given up, in order of position.
select position, stream, type, attempts, errors, state = 'dropped' as is_dropped
from :"schema".held_events
where subscription = $1 and partition = $2 and due_at <= clock_timestamp()
order by position
limit $3
