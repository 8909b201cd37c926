-- A branch that begins with the state that another has at a version: its values, and the session that it has there.
with made as (
  insert into :"state_branches" (
    branch, agent, name, stream, born, parent, parent_version, lineage, lineage_up_to, version, position, hash, agent_type, description,
    session, session_ends_at, created_at, changed_at
  )
  select
    $1, $2, $3, $4, $5, parent.branch, $7, $1::bigint || parent.lineage, 9007199254740991 || ($7::bigint || parent.lineage_up_to[2:]), $5, $1,
    decode($8, 'hex'), parent.agent_type, $9, at_fork.session, at_fork.ends_at, $10, $10
  from :"state_branches" parent
  left join lateral (
    select session.session, session.ends_at
    from :"state_sessions" session
    where session.branch = parent.branch and session.version <= $7
    order by session.version desc
    limit 1
  ) at_fork on true
  where parent.branch = $6
  returning *
),
begun as (
  insert into :"state_sessions" (branch, version, session, ends_at)
  select branch, born, session, session_ends_at
  from made
  where session is not null
)
select cardinality(made.lineage) as depth, parent.name, parent.parent::float8, parent.born::float8, parent.faults
from made
join :"state_branches" parent on parent.branch = made.parent
