insert into :"agent_heartbeats" (id, agent_id, timestamp, state, error_count, metrics, created_at, occurred_at, recorded_at)
select
  event.position,
  substr(event.stream, strpos(event.stream, '-') + 1),
  coalesce(:"schema".occurred_at(event.data), event.recorded_at),
  event.data ->> 'state',
  coalesce((event.data ->> 'errorCount')::integer, 0),
  event.data -> 'metrics',
  event.recorded_at,
  :"schema".occurred_at(event.data),
  event.recorded_at
from :batch event
