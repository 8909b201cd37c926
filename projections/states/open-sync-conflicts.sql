-- Conflicts that a synchronisation ($1) has left ($2). One that is there already was seen once more; it is open again where it is about
-- something else now.
insert into :"state_sync_conflicts" as known (
  id, source_agent_id, source_branch, target_agent_id, target_branch, sync, path, kind, keys, conflict, digest, rules, opened_at, seen_at
)
select distinct on (one.id)
  one.id, said.source_agent_id, said.source_branch, said.target_agent_id, said.target_branch, said.sync, one.path, one.kind, one.keys,
  one.conflict, one.digest, said.rules, said.at, said.at
from jsonb_to_record($1::jsonb) as said (
  source_agent_id text, source_branch text, target_agent_id text, target_branch text, sync uuid, rules jsonb, at timestamptz
)
cross join jsonb_to_recordset($2::jsonb) as one (id uuid, path text, kind text, keys text[], conflict jsonb, digest text)
on conflict (id) do update
set sync = excluded.sync, kind = excluded.kind, keys = excluded.keys, conflict = excluded.conflict, digest = excluded.digest,
  rules = excluded.rules, seen_at = excluded.seen_at, times = known.times + 1,
  status = case when known.digest = excluded.digest then known.status else 'open' end,
  resolution = case when known.digest = excluded.digest then known.resolution end,
  resolved_by = case when known.digest = excluded.digest then known.resolved_by end,
  reason = case when known.digest = excluded.digest then known.reason end,
  resolved_at = case when known.digest = excluded.digest then known.resolved_at end
