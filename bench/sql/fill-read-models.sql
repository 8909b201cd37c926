-- Heartbeats ($3 false) or changes of agents ($3 true), for so many agents in turn. Parameters: number of the first, how many,
-- which of them, agents.
with fresh as (
  select
    n,
    case when $3::boolean then 'agent-a' else 'heartbeat-a' end || n % $4::integer as stream,
    n / $4::integer + 1 as version,
    lpad(to_hex(1700000000000 + n), 12, '0') as milliseconds,
    md5(n::text) as chance
  from generate_series($1::bigint, $1::bigint + $2::bigint - 1) as n
),
heads as (
  insert into streams as head (stream, version, telemetry)
  select stream, max(version), not $3::boolean from fresh group by stream
  on conflict (stream) do update set version = excluded.version
),
changes as (
  insert into events (id, stream, version, type, data)
  select
    (milliseconds || '7' || left(chance, 3) || '8' || right(chance, 15))::uuid, stream, version,
    case when version = 1 then 'AgentRegistered' else 'AgentStateChanged' end,
    jsonb_build_object('state', case n % 3 when 0 then 'busy' when 1 then 'idle' else 'waiting' end, 'metadata', jsonb_build_object('step', n))
  from fresh where $3::boolean order by n
)
insert into telemetry (id, stream, version, type, data)
select
  (milliseconds || '7' || left(chance, 3) || '8' || right(chance, 15))::uuid, stream, version, 'HeartbeatRecorded',
  jsonb_build_object('state', 'busy', 'errorCount', n % 7, 'metrics', jsonb_build_object('cpu', n % 100, 'memory', n % 1000))
from fresh where not $3::boolean order by n;
