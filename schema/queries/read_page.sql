-- The events in a settled stretch of the log, after one position and up to another, that a filter lets through: as many as
-- wanted, or as make up so many bytes.
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
    order by position
    limit $3
  ) ahead
) summed
where so_far - size < $9 and :"schema".reaches($2)
order by position
