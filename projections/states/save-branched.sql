-- A branch that begins with the state that another has at a version.
insert into :"state_branches" (
  branch, agent, name, stream, born, parent, parent_version, lineage, lineage_up_to, version, position, hash, agent_type, description,
  session, session_ends_at, created_at, changed_at
)
select
  $1, $2, $3, $4, $5, parent.branch, $7, $1::bigint || parent.lineage, 9007199254740991 || ($7::bigint || parent.lineage_up_to[2:]), $5, $1,
  decode($8, 'hex'), parent.agent_type, $9, parent.session, parent.session_ends_at, $10, $10
from :"state_branches" parent
where parent.branch = $6
returning cardinality(lineage) as depth
