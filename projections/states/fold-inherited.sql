-- The keys that a branch has from those before it.
select distinct key.tier, key.key
from :"state_branches" branch
cross join unnest(branch.lineage) as line (branch)
join :"state_keys" key on key.branch = line.branch
where branch.branch = $1
