-- Some keys of some branches: $1 branches, $2 tiers, $3 keys. A key that a branch has not touched is, as of the fork, its parent's, or
-- that one's. With `steps`, the value is that after these patches.
select
  found.branch, found.tier, found.key, found.home = found.branch as is_own, found.version, encode(found.hash, 'hex') as hash,
  coalesce(anchor.value, found.value) as value, found.bytes, found.patches, found.patch_bytes,
  coalesce(anchor.is_absent, found.is_absent) as is_absent, anchor.steps
from (
  select
    wanted.branch, wanted.tier, wanted.key, nearest.home, nearest.version, nearest.hash, nearest.value, nearest.is_absent, nearest.bytes,
    nearest.patches, nearest.patch_bytes, not nearest.is_absent and nearest.value is null as is_patched
  from unnest($1::bigint[], $2::text[], $3::text[]) as wanted (branch, tier, key)
  -- One by one, as the events below: without statistics, or with such as say that states are small, all there are would be read.
  cross join lateral (select * from :"state_branches" one where one.branch = wanted.branch offset 0) branch
  cross join lateral (
    select
      line.branch as home,
      coalesce(older.version, key.version) as version,
      case when older.version is null then key.hash else older.hash end as hash,
      case when older.version is null then key.value else older.value end as value,
      case when older.version is null then key.is_absent else older.is_absent end as is_absent,
      key.bytes, key.patches, key.patch_bytes
    from unnest(branch.lineage, branch.lineage_up_to) with ordinality as line (branch, up_to, depth)
    -- One by one as well: else the keys of this name that all branches have would be read for each.
    cross join lateral (
      select * from :"state_keys" one where one.branch = line.branch and one.tier = wanted.tier and one.key = wanted.key offset 0
    ) key
    left join lateral (
      select one.version, one.hash, one.value, one.is_absent
      from :"state_key_versions" one
      where one.branch = key.branch and one.tier = key.tier and one.key = key.key and one.version <= line.up_to
      order by one.version desc
      limit 1
    ) older on key.version > line.up_to
    where key.version <= line.up_to or older.version is not null
    order by line.depth
    limit 1
  ) nearest
) found
left join lateral (
  select base.value, base.is_absent, (
    select jsonb_agg(event.data -> 'patch' order by step.version)
    from :"state_key_versions" step
    join :"state_branches" home on home.branch = step.branch
    cross join lateral (
      select one.data from :"schema".events one where one.stream = home.stream and one.version = step.version offset 0
    ) event
    where step.branch = found.home and step.tier = found.tier and step.key = found.key
      and step.version > base.version and step.version <= found.version
  ) as steps
  from (
    select one.version, one.value, one.is_absent
    from :"state_key_versions" one
    where found.is_patched and one.branch = found.home and one.tier = found.tier and one.key = found.key
      and one.version <= found.version and (one.is_absent or one.value is not null)
    order by one.version desc
    limit 1
  ) base
) anchor on found.is_patched
