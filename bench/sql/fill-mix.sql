-- Events of a fleet ($1, a JSON list of id, stream, type, data and labels), in this order, a tenth of a millisecond apart, the first of them recorded
-- just after $2. Each stream goes on from where it is.
with held as materialized (
  select pg_advisory_xact_lock_shared(lock_key) from log
),
given as materialized (
  select nextval('log_position') as position, event.*
  from held, jsonb_to_recordset($1::jsonb) as event (id uuid, stream text, type text, data jsonb, labels text[])
),
placed as materialized (
  select
    given.*,
    coalesce(head.version, 0) + row_number() over (partition by given.stream order by given.position) as version,
    coalesce(kind.telemetry, false) as telemetry,
    $2::timestamptz + row_number() over (order by given.position) * interval '100 microseconds' as recorded_at
  from given
  left join streams head using (stream)
  left join categories kind on kind.category = split_part(given.stream, '-', 1)
),
heads as (
  insert into streams (stream, version, telemetry)
  select stream, max(version), bool_or(telemetry) from placed group by stream
  on conflict (stream) do update set version = excluded.version
),
durable as (
  insert into events (position, id, stream, version, type, data, labels, recorded_at)
  select position, id, stream, version, type, data, labels, recorded_at from placed where not telemetry order by position
)
insert into telemetry (position, id, stream, version, type, data, labels, recorded_at)
select position, id, stream, version, type, data, labels, recorded_at from placed where telemetry order by position;
