-- What is there above a position now; not all of it settled.
select position, id, stream, version, type, data, labels, meta, recorded_at, schema_version
from :"schema".log_events
where position > $1
order by position
limit $2
