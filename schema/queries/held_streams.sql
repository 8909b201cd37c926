-- The streams of a partition of which events are held.
select distinct stream
from :"schema".held_events
where subscription = $1 and partition = $2
