-- The last event of a stream.
select type, data, meta, version, position, recorded_at
from :"schema".events
where stream = $1
order by version desc
limit 1
