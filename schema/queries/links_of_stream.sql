-- The newest events of a stream ($1), up to a position ($2), the newest first; so many at most ($3).
select position, id, lower(meta ->> 'causationId') as cause
from :"schema".log_events
where stream = $1 and position <= $2
order by version desc
limit $3
