select position, id, stream, version, type, data, labels, meta, recorded_at, schema_version
from tidemark.events
where position > $1
order by position
limit $2;
