-- Keys were taken over ($1): none of their conflicts is left. Whoever decided one stays told; of others, who synchronised is.
update :"state_sync_conflicts" known
set status = 'resolved',
  resolved_by = case when known.resolution is null then first.actor else known.resolved_by end,
  reason = case when known.resolution is null then first.reason else known.reason end,
  resolved_at = case when known.resolution is null then first.at else known.resolved_at end
from (
  select distinct on (met.id) met.id, one.actor, one.reason, one.at
  from jsonb_to_recordset($1::jsonb) as one (
    nth integer, source_agent_id text, source_branch text, target_agent_id text, target_branch text, keys text[], actor text, reason text,
    at timestamptz
  )
  join :"state_sync_conflicts" met
    on met.target_agent_id = one.target_agent_id and met.source_agent_id = one.source_agent_id
    and met.target_branch = one.target_branch and met.source_branch = one.source_branch
    and met.status <> 'resolved' and met.keys && one.keys
  order by met.id, one.nth
) first
where known.id = first.id
