-- Checkpoints that a batch has made ($1), and those that it ended ($2). After a repair they are there already, maybe ended since.
with made as (
  insert into :"state_checkpoints" (
    id, agent_id, branch, branch_name, version, state_hash, checkpoint_type, description, metadata, retention_policy, expires_at,
    created_by, created_at
  )
  select
    id, agent_id, branch, branch_name, version, state_hash, checkpoint_type, description, metadata, retention_policy, expires_at,
    created_by, created_at
  from jsonb_to_recordset($1::jsonb) as one (
    id uuid, agent_id text, branch bigint, branch_name text, version bigint, state_hash text, checkpoint_type text, description text,
    metadata jsonb, retention_policy text, expires_at timestamptz, created_by text, created_at timestamptz
  )
  on conflict (id, agent_id, branch) do nothing
)
update :"state_checkpoints" checkpoint
set dropped_at = one.at, dropped_because = one.why
from jsonb_to_recordset($2::jsonb) as one (id uuid, why text, at timestamptz)
where checkpoint.id = one.id
