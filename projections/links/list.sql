-- Links, the newest first; $1: of an agent; $2: of one status.
select link, hub, members, keys, tiers, strategy, rules, priority, status, created_by as "createdBy", reason,
  created_at as "createdAt", changed_at as "changedAt"
from :"schema".state_links
where ($1::text is null or members @> jsonb_build_array(jsonb_build_object('agent', $1::text))) and ($2::text is null or status = $2)
order by created_at desc, link
limit $3
