-- A page ends at so many bytes, so what is read must tell its size. Of what is compressed the stored size says nothing; joined with
-- nothing, it is what it was. Half a microsecond more keeps a time, as a float, from being cut to the millisecond before.
create or replace view event_rows as
select
  position, id, stream, version, type, data, nullif(labels, '{}') as labels, nullif(meta, '{}') as meta,
  floor(date_part('epoch', recorded_at) * 1000 + 0.0005) as recorded_ms, schema_version,
  case when pg_column_compression(data) is null and pg_column_compression(meta) is null
    then pg_column_size(data) + pg_column_size(meta)
    else pg_column_size(data || '{}') + pg_column_size(meta || '{}') end as size
from log_events;
comment on view event_rows is 'Events as the library reads them: what is empty as null, times as milliseconds, which a client parses faster, and the bytes of data and meta.';
