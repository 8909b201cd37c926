-- The events at some positions, in order of position: as many as make up so many bytes.
select
  position, id, stream, version, type, data::text as data, labels, meta::text as meta, recorded_ms, schema_version,
  so_far >= $2 as is_cut
from (
  select *, sum(size) over (order by position rows unbounded preceding) as so_far
  from :"schema".event_rows
  where position = any ($1)
) summed
where so_far - size < $2
order by position
