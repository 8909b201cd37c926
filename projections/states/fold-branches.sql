-- The branches that last had the names of some streams, as far as they are folded.
select distinct on (stream)
  branch, agent, name, stream, born, parent, parent_version, lineage, lineage_up_to, version, position, encode(hash, 'hex') as hash,
  faults, agent_type, description, session, session_ends_at, created_at, changed_at, deleted_at
from :"state_branches"
where stream = any ($1)
order by stream, branch desc
