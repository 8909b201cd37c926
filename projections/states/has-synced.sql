-- Whether any key was ever synchronised of some versions ($1 branches, $2 versions), or of the branches that they know of.
select exists (
  select
  from unnest($1::bigint[], $2::bigint[]) as wanted (branch, version)
  left join lateral (
    select one.known
    from :"schema".state_points one
    where one.branch = wanted.branch and one.version <= wanted.version
    order by one.version desc
    limit 1
  ) point on true
  cross join lateral (
    select wanted.branch
    union all
    select near.key::bigint from jsonb_each_text(point.known) near
  ) line
  cross join lateral (select from :"schema".state_known one where one.branch = line.branch limit 1) synced
) as has_synced
