-- Agents by id; $1: those in a state only; $2: those that are not stopped only.
select agent_id as agent, state, started_at as "startedAt", stopped_at as "stoppedAt", config, metadata,
  created_at as "createdAt", updated_at as "updatedAt", occurred_at as "occurredAt", recorded_at as "recordedAt"
from :"schema".agents
where ($1::text is null or state = $1) and (not $2 or stopped_at is null)
order by agent_id
