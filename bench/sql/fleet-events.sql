-- Where the events after a position ($1) lie, of which type they are, and when they were recorded, in ms.
select position::float8 as position, type, (extract(epoch from recorded_at) * 1000)::float8 as at
from tidemark.log_events
where position > $1
order by position
