-- Agents by id: those in a state ($1), of a type ($2), with a capability ($3), each where given, and not stopped where $4 says so; those after an
-- id ($5), so many ($6).
select agent_id as agent, name, type, state, capabilities, heartbeat_interval_ms as "heartbeatIntervalMs", started_at as "startedAt",
  stopped_at as "stoppedAt", retired_at as "retiredAt", config, metadata, created_at as "createdAt", updated_at as "updatedAt",
  occurred_at as "occurredAt", recorded_at as "recordedAt"
from :"schema".agents
where ($1::text is null or state = $1)
  and ($2::text is null or type = $2)
  and ($3::text is null or capabilities @> array[$3::text])
  and (not $4::boolean or stopped_at is null)
  and agent_id > $5::text
order by agent_id
limit $6
