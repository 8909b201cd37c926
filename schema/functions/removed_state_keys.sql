-- The keys of some tiers that a version of a branch may have no more: those that are removed, those that others had and that were gone by the
-- time this branch heard of them, and what is not folded yet.
create or replace function removed_state_keys(branch bigint, version bigint, tiers text[])
returns table (tier text, key text)
language plpgsql
stable
set search_path from current
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  return query
    select one.tier, one.key
    from state_keys one
    where one.branch = removed_state_keys.branch and one.tier = any (tiers) and one.is_absent
    union
    select changed.tier, changed.key
    from state_branches folded
    cross join lateral changed_state_keys(folded.branch, folded.version, folded.branch, removed_state_keys.version) changed
    where folded.branch = removed_state_keys.branch and folded.version < removed_state_keys.version and changed.tier = any (tiers)
    union
    select heard.tier, heard.key
    from heard_state_keys(removed_state_keys.branch, removed_state_keys.version) heard
    where heard.tier = any (tiers);
end
$$;
