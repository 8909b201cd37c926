-- The keys that a version of a branch has heard of by synchronisations, whether it has them or not.
create or replace function heard_state_keys(branch bigint, version bigint)
returns table (tier text, key text)
language plpgsql
stable
set search_path from current
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  return query
    -- Each key has a row for each synchronisation: from one key to the next, whatever lies between.
    with recursive heard as (
      (
        select one.tier, one.key
        from state_known one
        where one.branch = heard_state_keys.branch
        order by one.tier, one.key
        limit 1
      )
      union all
      select next.tier, next.key
      from heard
      cross join lateral (
        select one.tier, one.key
        from state_known one
        where one.branch = heard_state_keys.branch and (one.tier, one.key) > (heard.tier, heard.key)
        order by one.tier, one.key
        limit 1
      ) next
    )
    select heard.tier, heard.key from heard
    union
    select path[1], path[2]
    from state_branches folded
    cross join lateral (
      select one.type, one.data
      from events one
      where one.stream = folded.stream and one.version > folded.version and one.version <= heard_state_keys.version
      offset 0
    ) event
    cross join lateral jsonb_array_elements(event.data -> 'known') said (known)
    cross join lateral jsonb_array_elements_text(said.known -> 'keys') pointer (key)
    cross join lateral pointer_path(pointer.key) path
    where folded.branch = heard_state_keys.branch and event.type = 'StateSynced';
end
$$;
