-- Checkpoints, the newest first: of an agent ($1), or of all; $2: also those that are over; so many ($3).
select
  id as checkpoint, agent_id as agent, branch_name as branch, version::float8 as version, state_hash as hash, checkpoint_type as type,
  description, metadata, retention_policy as retention, expires_at as "expiresAt", created_by as "createdBy",
  created_at as "createdAt", dropped_at as "droppedAt", dropped_because as "droppedBecause"
from :"schema".state_checkpoints
where ($1::text is null or agent_id = $1) and ($2 or dropped_at is null)
order by created_at desc, id, agent_id
limit $3
