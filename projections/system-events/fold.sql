insert into :"system_events" (id, event_type, event_data, agent_id, timestamp, severity, occurred_at, recorded_at, is_telemetry)
select
  event.position,
  coalesce(left(event.data ->> 'type', 255), 'unknown'),
  event.data -> 'data',
  left(event.data ->> 'agent', 255),
  coalesce(:"schema".occurred_at(event.data), event.recorded_at),
  case when event.data ->> 'severity' in ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL') then event.data ->> 'severity' else 'INFO' end,
  :"schema".occurred_at(event.data),
  event.recorded_at,
  event.stream like 'system\_log-%'
from :batch event
