-- Whether any key was ever synchronised of some versions of branches, or of the branches that they know of.
create or replace function have_synced(branches bigint[], versions bigint[])
returns boolean
language plpgsql
stable
set search_path from current
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  return exists (
    select
    from unnest(branches, versions) as wanted (branch, version)
    left join lateral (
      select one.known
      from state_points one
      where one.branch = wanted.branch and one.version <= wanted.version
      order by one.version desc
      limit 1
    ) point on true
    cross join lateral (
      select wanted.branch
      union all
      select near.key::bigint from jsonb_each_text(point.known) near
    ) line
    cross join lateral (select from state_known one where one.branch = line.branch limit 1) synced
  );
end
$$;
