-- The event of a state that has this id.
select stream, version, position, type, data, meta, recorded_at
from :"schema".events
where id = $1 and stream like 'state-%'
