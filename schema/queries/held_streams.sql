-- The streams of a partition of which events are held, so many at most.
select distinct stream
from :"schema".held_events
where subscription = $1 and partition = $2
limit $3
