-- The branches that last had the names of some streams, as far as they are folded.
select distinct on (stream)
  branch, agent, name, stream, born, parent, parent_version, lineage, lineage_up_to, version, position, encode(hash, 'hex') as hash,
  faults, agent_type, description, session, session_ends_at, created_at, changed_at, deleted_at
from unnest($1::text[]) as wanted (wanted)
-- One by one: without statistics all branches would be read.
cross join lateral (select * from :"state_branches" one where one.stream = wanted.wanted offset 0) branch
order by stream, branch desc
