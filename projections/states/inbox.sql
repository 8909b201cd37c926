-- The conflicts of synchronisations and merges, the newest first: of an agent ($1) on either side, or of all; of an assignee ($2), or of any; in a
-- status ($3), or in any; of a kind ($4), or of both; one of them ($5), or all; so many ($6).
select
  id, kind, status, source_agent as source, source_branch as "sourceBranch", target_agent as target, target_branch as "targetBranch", path,
  conflict, keys, sync, merge, rules, opened_at as "openedAt", seen_at as "seenAt", times, assignee, resolution,
  resolved_by as "resolvedBy", reason, resolved_at as "resolvedAt"
from :"schema".state_conflict_inbox
where ($1::text is null or source_agent = $1 or target_agent = $1) and ($2::text is null or assignee = $2)
  and ($3::text is null or status = $3) and ($4::text is null or kind = $4) and ($5::uuid is null or id = $5)
order by opened_at desc, id
limit $6
