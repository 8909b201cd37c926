-- Where the last event of each type lies.
select type, max(position)::float8 as position
from tidemark.log_events
group by type
