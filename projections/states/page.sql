-- The next events of a stream after a version, up to another.
select version, position, id, type, data, meta, (extract(epoch from recorded_at) * 1000)::float8 as "recordedAt"
from :"schema".events
where stream = $1 and version > $2 and version <= $3
order by version
limit 500
