-- What synchronisations have taken over, and what they have left.
insert into :"state_sync_events" (
  id, source_agent_id, source_branch, source_version, target_agent_id, target_branch, target_version, sync_type, state_keys, conflicts_detected,
  conflicts_resolved, status, failed, strategy, duration_ms, actor, reason, created_at
)
select
  id, source_agent_id, source_branch, source_version, target_agent_id, target_branch, target_version, sync_type, state_keys, conflicts_detected,
  conflicts_resolved, status, failed, strategy, duration_ms, actor, reason, created_at
from jsonb_to_recordset($1::jsonb) as one (
  id uuid, source_agent_id text, source_branch text, source_version bigint, target_agent_id text, target_branch text, target_version bigint,
  sync_type text, state_keys text[], conflicts_detected integer, conflicts_resolved integer, status text, failed text, strategy text,
  duration_ms integer, actor text, reason text, created_at timestamptz
)
-- After a repair it may be there already.
on conflict (id, target_agent_id, target_branch, status) do nothing
