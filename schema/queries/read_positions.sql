-- The events at some positions.
select
  position, id, stream, version, type, data::text as data, labels, meta::text as meta, recorded_ms, schema_version,
  false as is_cut
from :"schema".event_rows
where position = any ($1::bigint[])
order by position
