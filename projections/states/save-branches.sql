-- Branches as they are after a batch.
insert into :"state_branches" as branch (
  branch, agent, name, stream, born, parent, parent_version, lineage, lineage_up_to, version, position, hash, faults, agent_type,
  description, session, session_ends_at, created_at, changed_at, deleted_at
)
select
  branch, agent, name, stream, born, parent, parent_version, lineage, lineage_up_to, version, position, decode(hash, 'hex'), faults,
  agent_type, description, session, session_ends_at, created_at, changed_at, deleted_at
from jsonb_to_recordset($1::jsonb) as one (
  branch bigint, agent text, name text, stream text, born bigint, parent bigint, parent_version bigint, lineage bigint[],
  lineage_up_to bigint[], version bigint, position bigint, hash text, faults jsonb, agent_type text, description text, session text,
  session_ends_at timestamptz, created_at timestamptz, changed_at timestamptz, deleted_at timestamptz
)
on conflict (branch) do update
set lineage = excluded.lineage, lineage_up_to = excluded.lineage_up_to, version = excluded.version, position = excluded.position,
  hash = excluded.hash, faults = excluded.faults, agent_type = excluded.agent_type, session = excluded.session,
  session_ends_at = excluded.session_ends_at, changed_at = excluded.changed_at, deleted_at = excluded.deleted_at
