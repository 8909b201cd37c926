-- What is there now after a position and up to another, not all of it settled: as many events as wanted, or as make up so many
-- bytes. JSON comes as text, which a client reads faster.
select
  position, id, stream, version, type, data::text as data, labels, meta::text as meta, recorded_ms, schema_version,
  so_far >= $4 as is_cut
from (
  select *, sum(size) over (order by position rows unbounded preceding) as so_far
  from (
    select *
    from :"schema".event_rows
    where position > $1 and position <= $2
    order by position
    limit $3
  ) ahead
) summed
where so_far - size < $4 and :"schema".reaches($2)
order by position
