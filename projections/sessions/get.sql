-- One session ($1) as it is now.
select
  id, session_id as session, user_id as "user", agent_id as agent, data, status, ttl_ms as "ttlMs", created_at as "createdAt",
  touched_at as "touchedAt", expires_at as "expiresAt", ended_at as "endedAt", occurred_at as "occurredAt", recorded_at as "recordedAt"
from :"schema".sessions
where session_id = $1
