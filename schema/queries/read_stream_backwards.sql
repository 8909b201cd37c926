-- One page of a stream, downwards from a version: as many events as wanted, or as make up so many bytes.
select
  position, id, stream, version, type, data::text as data, labels, meta::text as meta, recorded_ms, schema_version,
  so_far >= $5 as is_cut
from (
  select *, sum(size) over (order by version desc rows unbounded preceding) as so_far
  from (
    select *
    from :"schema".event_rows
    where stream = $1 and version >= $2 and version <= $3
    order by version desc
    limit $4
  ) ahead
) summed
where so_far - size < $5
order by version desc
