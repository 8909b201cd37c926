-- One page of a stream, upwards from a version: as many events as wanted, or as make up so many
-- bytes. Columns and sizes as in read_tail.
select
  position, id, stream, version, type, data::text as data,
  nullif(labels, '{}') as labels, nullif(meta, '{}')::text as meta,
  floor(date_part('epoch', recorded_at) * 1000 + 0.0005) as recorded_ms, schema_version,
  so_far >= $5 as is_cut
from (
  select *, sum(size) over (order by version rows unbounded preceding) as so_far
  from (
    select *,
      case when pg_column_compression(data) is null and pg_column_compression(meta) is null
        then pg_column_size(data) + pg_column_size(meta)
        else pg_column_size(data || '{}') + pg_column_size(meta || '{}') end as size
    from (
      select *
      from :"schema".log_events
      where stream = $1 and version >= $2 and version <= $3
      order by version
      limit $4
    ) ahead
  ) sized
) summed
where so_far - size < $5
order by version
