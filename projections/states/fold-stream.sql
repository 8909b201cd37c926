-- The next events of a stream after a version, up to another.
select position, id, stream, version, type, data, meta, recorded_at
from :"schema".events
where stream = $1 and version > $2 and version <= $3
order by version
limit 1000
