-- The keys that a branch has at a version, as far as the read model `states` has folded it: all of some tiers, and single ones, each by its
-- tier and its name. A key that the branch has not changed by then is its parent's as that was at the fork, or that one's.
--   home, since   which branch last changed it, and at which of its versions
--   value         null where it is not kept, and has to be made of patches: state_value_at
create or replace function state_keys_at(branch bigint, version bigint, tiers text[], single_tiers text[] default '{}', single_keys text[] default '{}')
returns table (tier text, key text, home bigint, since bigint, hash bytea, value jsonb)
language plpgsql
stable
set search_path from current
-- By the indexes, however large the tables are, or were when the plan was made: an agent has few of all keys that there are.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  return query
    with lineage as (
      select line.branch, case when line.depth = 1 then state_keys_at.version else line.up_to end as up_to, line.depth
      from state_branches known
      cross join unnest(known.lineage, known.lineage_up_to) with ordinality as line (branch, up_to, depth)
      where known.branch = state_keys_at.branch
    ),
    touched as (
      select lineage.up_to, lineage.depth, known.*
      from lineage
      join state_keys known on known.branch = lineage.branch and known.tier = any (state_keys_at.tiers)
      union all
      select lineage.up_to, lineage.depth, known.*
      from unnest(state_keys_at.single_tiers, state_keys_at.single_keys) as wanted (tier, key)
      cross join lineage
      join state_keys known on known.branch = lineage.branch and known.tier = wanted.tier and known.key = wanted.key
      where not wanted.tier = any (state_keys_at.tiers)
    )
    select nearest.tier, nearest.key, nearest.branch, nearest.since, nearest.hash, nearest.value
    from (
      select distinct on (touched.tier, touched.key)
        touched.tier, touched.key, touched.branch,
        coalesce(older.version, touched.version) as since,
        case when older.version is null then touched.hash else older.hash end as hash,
        case when older.version is null then touched.value else older.value end as value,
        case when older.version is null then touched.is_absent else older.is_absent end as is_absent
      from touched
      left join lateral (
        select one.version, one.hash, one.value, one.is_absent
        from state_key_versions one
        -- Not looked for where the key has not changed since.
        where touched.version > touched.up_to
          and one.branch = touched.branch and one.tier = touched.tier and one.key = touched.key and one.version <= touched.up_to
        order by one.version desc
        limit 1
      ) older on true
      where touched.version <= touched.up_to or older.version is not null
      order by touched.tier, touched.key, touched.depth
    ) nearest
    where not nearest.is_absent;
end
$$;
