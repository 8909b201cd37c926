-- Lets go of values that are kept at versions before one ($2), but for the first of each key, and the last before each version that
-- something names: a tag, a checkpoint, a branch or a merge. Values of other versions can still be made, of more patches.
with branch as (
  select branch
  from :"state_branches"
  where stream = $1
  order by branch desc
  limit 1
),
named as (
  select tag.version from :"state_tags" tag where tag.branch = (select branch from branch)
  union
  select one.version from :"state_checkpoints" one where one.branch = (select branch from branch) and one.dropped_at is null
  union
  select child.parent_version from :"state_branches" child where child.parent = (select branch from branch)
  union
  select point.version from :"state_points" point where point.branch = (select branch from branch)
  union
  select merge.source_version from :"state_merges" merge where merge.source = (select branch from branch)
)
update :"state_key_versions" version
set value = null
where version.branch = (select branch from branch)
  and version.version < $2
  and version.value is not null
  and exists (
    select from :"state_key_versions" earlier
    where earlier.branch = version.branch and earlier.tier = version.tier and earlier.key = version.key
      and earlier.version < version.version and (earlier.value is not null or earlier.is_absent)
  )
  and not exists (
    select from named
    where named.version >= version.version
      and not exists (
        select from :"state_key_versions" later
        where later.branch = version.branch and later.tier = version.tier and later.key = version.key
          and later.version > version.version and later.version <= named.version
          and (later.value is not null or later.is_absent)
      )
  )
