-- One page of a stream, downwards from a version.
select position, id, stream, version, type, data, labels, meta, recorded_at, schema_version
from :"schema".log_events
where stream = $1 and version >= $2 and version <= $3
order by version desc
limit $4
