-- Merges that are in their targets. After a repair they are there already, and stay as they were.
insert into :"state_merges" as known (
  id, agent, source, source_name, source_version, target, target_name, target_version, mode, strategy, status, merged_version, author,
  reason, opened_at, ended_at
)
select
  id, agent, source, source_name, source_version, target, target_name, target_version, mode, strategy, 'merged', merged_version, author,
  reason, at, at
from jsonb_to_recordset($1::jsonb) as one (
  id uuid, agent text, source bigint, source_name text, source_version bigint, target bigint, target_name text, target_version bigint,
  mode text, strategy text, merged_version bigint, author text, reason text, at timestamptz
)
on conflict (id) do update
set status = 'merged', merged_version = excluded.merged_version, ended_at = excluded.ended_at
where known.status <> 'merged'
