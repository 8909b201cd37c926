-- All events of a stretch that say what led to them.
select position, id, lower(meta ->> 'causationId') as cause
from :"schema".log_events
where position >= $1 and position <= $2 and meta ? 'causationId'
order by position
