-- What is there now after a position and up to another, not all of it settled: as many events as wanted, or as make up so many
-- bytes. What is empty comes as null and JSON as text, which a client reads faster, and times in milliseconds, as floats: half a
-- microsecond more keeps one from being cut to the millisecond before. Of what is compressed the stored size says nothing; joined
-- with nothing, it is what it was.
select
  position, id, stream, version, type, data::text as data,
  nullif(labels, '{}') as labels, nullif(meta, '{}')::text as meta,
  floor(date_part('epoch', recorded_at) * 1000 + 0.0005) as recorded_ms, schema_version,
  so_far >= $4 as is_cut
from (
  select *, sum(size) over (order by position rows unbounded preceding) as so_far
  from (
    select *,
      case when pg_column_compression(data) is null and pg_column_compression(meta) is null
        then pg_column_size(data) + pg_column_size(meta)
        else pg_column_size(data || '{}') + pg_column_size(meta || '{}') end as size
    from (
      select *
      from :"schema".log_events
      where position > $1 and position <= $2
      order by position
      limit $3
    ) ahead
  ) sized
) summed
where so_far - size < $4
order by position
