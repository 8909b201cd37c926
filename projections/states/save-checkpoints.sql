-- Checkpoints, a row for each branch that one names.
insert into :"state_checkpoints" (
  id, agent_id, branch, branch_name, version, state_hash, checkpoint_type, description, metadata, retention_policy, expires_at,
  created_by, created_at
)
select
  one.id, part.agent, part.branch, part.name, part.version, part.hash, one.data ->> 'type', one.data ->> 'description',
  coalesce(one.data -> 'metadata', '{}'), one.data ->> 'retention', (one.data ->> 'expiresAt')::timestamptz, one.actor, one.at
from jsonb_to_recordset($1::jsonb) as one (id uuid, data jsonb, actor text, at timestamptz)
cross join lateral jsonb_to_recordset(one.data -> 'parts') as part (agent text, branch bigint, name text, version bigint, hash text)
on conflict do nothing
