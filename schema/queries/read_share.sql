-- As read_page, of the streams that fall to one of several partitions. A stream's partition is the first 32 bits of the SHA-256
-- of its name, modulo their number.
select
  position, id, stream, version, type, data::text as data, labels, meta::text as meta, recorded_ms, schema_version,
  so_far >= $9 as is_cut
from (
  select *, sum(size) over (order by position rows unbounded preceding) as so_far
  from (
    select *
    from :"schema".event_rows
    where position > $1 and position <= $2
      and :"schema".is_wanted(stream, type, labels, meta, $4, $5, $6, $7, $8)
      and :"schema".partition_of(stream, $11) = $10
    order by position
    limit $3
  ) ahead
) summed
where so_far - size < $9 and :"schema".reaches($2)
order by position
