-- One agent ($1) as it is now.
select agent_id as agent, name, type, state, capabilities, heartbeat_interval_ms as "heartbeatIntervalMs", started_at as "startedAt",
  stopped_at as "stoppedAt", retired_at as "retiredAt", config, metadata, created_at as "createdAt", updated_at as "updatedAt",
  occurred_at as "occurredAt", recorded_at as "recordedAt"
from :"schema".agents
where agent_id = $1
