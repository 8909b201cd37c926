-- Whole streams of $3 events each. Parameters: number of the first event, how many, events per stream, type, data.
-- The ids grow with time, as the engine's own (UUIDv7) do.
with fresh as (
  select
    n,
    'agent-old' || n / $3::integer as stream,
    n % $3::integer + 1 as version,
    lpad(to_hex(1700000000000 + n), 12, '0') as milliseconds,
    md5(n::text) as chance
  from generate_series($1::bigint, $1::bigint + $2::bigint - 1) as n
),
heads as (
  insert into streams (stream, version, telemetry)
  select stream, max(version), false from fresh group by stream
)
insert into events (id, stream, version, type, data)
select
  (milliseconds || '7' || left(chance, 3) || '8' || right(chance, 15))::uuid,
  stream,
  version,
  $4::text,
  $5::jsonb
from fresh
order by n;
