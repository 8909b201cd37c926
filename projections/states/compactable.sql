-- The values of a branch ($1) that are kept at versions before one ($2) and may be let go of: not the first of each key, nor the last before
-- each version that something names: a tag, a checkpoint, a branch or a merge, or the newest. A value that is let go of can still be made, of more
-- patches.
with named as (
  select self.version from :"state_branches" self where self.branch = $1
  union
  select tag.version from :"state_tags" tag where tag.branch = $1
  union
  select one.version from :"state_checkpoints" one where one.branch = $1 and one.dropped_at is null
  union
  select child.parent_version from :"state_branches" child where child.parent = $1
  union
  select point.version from :"state_points" point where point.branch = $1
  union
  select merge.source_version from :"state_merges" merge where merge.source = $1
)
select kept.tier, kept.key, kept.version, pg_column_size(kept.value) as bytes
from :"state_key_versions" kept
where kept.branch = $1
  and kept.version < $2
  and kept.value is not null
  and exists (
    select from :"state_key_versions" earlier
    where earlier.branch = kept.branch and earlier.tier = kept.tier and earlier.key = kept.key
      and earlier.version < kept.version and (earlier.value is not null or earlier.is_absent)
  )
  and not exists (
    select from named
    where named.version >= kept.version
      and not exists (
        select from :"state_key_versions" later
        where later.branch = kept.branch and later.tier = kept.tier and later.key = kept.key
          and later.version > kept.version and later.version <= named.version
          and (later.value is not null or later.is_absent)
      )
  )
