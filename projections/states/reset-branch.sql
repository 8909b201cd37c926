-- A branch ($1) as it was at its beginning: the hash is that of its first event, and its keys and its session are those of the branches
-- before it. What was made after its last good version ($2), and before the repair ($3), is gone: merges that somebody was to decide about stay.
with own as (
  delete from :"state_keys" where branch = $1
),
versions as (
  delete from :"state_key_versions" where branch = $1
),
points as (
  delete from :"state_points" where branch = $1 and version > $2
),
known as (
  delete from :"state_known" where branch = $1 and version > $2
),
synced as (
  delete from :"state_sync_events" event
  using :"state_branches" self
  where self.branch = $1 and event.target_agent_id = self.agent and event.target_branch = self.name
    and event.target_version > $2 and event.target_version < $3
),
sessions as (
  delete from :"state_sessions" where branch = $1 and version > $2
),
checkpoints as (
  delete from :"state_checkpoints" where branch = $1 and version > $2
),
passed as (
  select event.type, event.data
  from :"schema".events event
  where event.stream = (select stream from :"state_branches" where branch = $1) and event.version > $2 and event.version < $3
),
dropped as (
  update :"state_checkpoints" checkpoint
  set dropped_at = null, dropped_because = null
  where checkpoint.dropped_at is not null
    and not (checkpoint.branch = $1 and checkpoint.version > $2)
    and checkpoint.id in (select (data ->> 'checkpoint')::uuid from passed where type = 'StateCheckpointDropped')
),
merged as (
  delete from :"state_merges" merge
  where merge.target = $1 and merge.merged_version > $2
    and not exists (
      select from :"schema".events event where event.stream = 'statemerge-' || merge.id and event.type = 'StateMergeOpened'
    )
)
update :"state_branches" branch
set
  version = branch.born, position = branch.branch, session = begun.session, session_ends_at = begun.ends_at,
  lineage = case when parent.branch is null then array[branch.branch] else branch.branch || parent.lineage end,
  lineage_up_to = case
    when parent.branch is null then array[9007199254740991]
    else 9007199254740991 || (branch.parent_version || parent.lineage_up_to[2:])
  end
from :"state_branches" self
left join :"state_branches" parent on parent.branch = self.parent
left join :"state_sessions" begun on begun.branch = self.branch and begun.version = self.born
where branch.branch = $1 and self.branch = branch.branch
returning (
  select case when event.type = 'StateCreated' then repeat('0', 64) else event.data ->> 'hash' end
  from :"schema".events event
  where event.position = $1
) as hash
