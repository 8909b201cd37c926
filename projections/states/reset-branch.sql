-- A branch as it was at its beginning: the hash is that of its first event, and its keys are those of the branches before it.
with own as (
  delete from :"state_keys" where branch = $1
),
versions as (
  delete from :"state_key_versions" where branch = $1
)
update :"state_branches" branch
set
  version = branch.born, position = branch.branch, session = null, session_ends_at = null,
  lineage = case when parent.branch is null then array[branch.branch] else branch.branch || parent.lineage end,
  lineage_up_to = case
    when parent.branch is null then array[9007199254740991]
    else 9007199254740991 || (branch.parent_version || parent.lineage_up_to[2:])
  end
from :"state_branches" self
left join :"state_branches" parent on parent.branch = self.parent
where branch.branch = $1 and self.branch = branch.branch
returning (
  select case when event.type = 'StateCreated' then repeat('0', 64) else event.data ->> 'hash' end
  from :"schema".events event
  where event.position = $1
) as hash
