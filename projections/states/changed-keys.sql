-- The keys that may differ between two versions: $1 branch and $2 version, $3 branch and $4 version. What both have in common of their
-- lineages, up to the older of both, differs in nothing.
with side as (
  select line.branch, case when line.depth = 1 then one.version else line.up_to end as up_to
  from unnest(array[$1::bigint, $3::bigint], array[$2::bigint, $4::bigint]) as one (branch, version)
  join :"schema".state_branches branch on branch.branch = one.branch
  cross join unnest(branch.lineage, branch.lineage_up_to) with ordinality as line (branch, up_to, depth)
),
stretch as (
  select branch, case when count(*) > 1 then min(up_to) else 0 end as after, max(up_to) as up_to
  from side
  group by branch
)
select distinct changed.tier, changed.key
from stretch
cross join lateral (
  select one.tier, one.key
  from :"schema".state_key_versions one
  where one.branch = stretch.branch and one.version + 0 > stretch.after and one.version + 0 <= stretch.up_to
  -- By the index, stretch by stretch, whatever the tables were when the plan was made.
  offset 0
) changed
where stretch.up_to > stretch.after
