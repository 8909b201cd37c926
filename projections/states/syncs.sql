-- What synchronisations have done, the newest first: of an agent ($1) on either side, or of all; one of them ($2), or any; in a status ($3), or
-- in any; so many ($4).
select
  id as sync, source_agent_id as source, source_branch as "sourceBranch", source_version::float8 as "sourceVersion", target_agent_id as target,
  target_branch as "targetBranch", target_version::float8 as "targetVersion", sync_type as type, state_keys as keys, status, failed, strategy,
  conflicts_detected as "conflictsDetected", conflicts_resolved as "conflictsResolved", duration_ms as "durationMs", actor, reason,
  created_at as "at"
from :"schema".state_sync_events
where ($1::text is null or source_agent_id = $1 or target_agent_id = $1) and ($2::uuid is null or id = $2) and ($3::text is null or status = $3)
order by created_at desc, id, target_agent_id, target_branch
limit $4
