-- The branches of an agent's state, by name; $2: also those that were deleted.
select
  name as branch, version::float8 as version, encode(hash, 'hex') as hash, description, agent_type as "agentType",
  session, session_ends_at as "sessionEndsAt",
  (select above.name from :"schema".state_branches above where above.branch = one.parent) as parent,
  parent_version::float8 as "parentVersion", created_at as "createdAt", changed_at as "changedAt", deleted_at as "deletedAt",
  exists (select from jsonb_array_elements(faults) fault where fault ->> 'repaired' is null) as "isDamaged"
from :"schema".state_branches one
where agent = $1 and ($2 or deleted_at is null)
order by name, branch
