-- One agent as it is now.
select agent_id as agent, state, started_at as "startedAt", stopped_at as "stoppedAt", config, metadata,
  created_at as "createdAt", updated_at as "updatedAt", occurred_at as "occurredAt", recorded_at as "recordedAt"
from :"schema".agents
where agent_id = $1
