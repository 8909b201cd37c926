-- The branches that last had the names of some streams ($1), as far as they are folded, with the keys of the hashes of their agents ($2).
select
  branch.branch, wanted.agent, branch.name, wanted.stream, branch.born, branch.parent, branch.parent_version, branch.lineage,
  branch.lineage_up_to, branch.version, branch.position, encode(branch.hash, 'hex') as hash, branch.faults, branch.agent_type,
  branch.description, branch.session, branch.session_ends_at, branch.created_at, branch.changed_at, branch.deleted_at,
  encode(known.secret, 'hex') as secret
from unnest($1::text[], $2::text[]) as wanted (stream, agent)
-- One by one: without statistics all branches would be read.
left join lateral (
  select * from :"state_branches" one where one.stream = wanted.stream order by one.branch desc limit 1
) branch on true
left join :"schema".agent_secrets known on known.agent = wanted.agent
