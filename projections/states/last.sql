-- The last event of a stream.
select event.type, event.data, event.meta, event.version, event.position, event.recorded_at
from :"schema".streams head
join :"schema".events event on event.stream = head.stream and event.version = head.version
where head.stream = $1
