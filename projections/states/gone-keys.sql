-- The keys of some tiers ($3) that a version ($2) of a branch ($1) may have no more: those that are removed, and what is not folded yet.
select tier, key
from :"schema".state_keys
where branch = $1 and tier = any ($3::text[]) and is_absent
union
select changed.tier, changed.key
from :"schema".state_branches folded
cross join lateral :"schema".changed_state_keys(folded.branch, folded.version, folded.branch, $2) changed
where folded.branch = $1 and folded.version < $2 and changed.tier = any ($3::text[])
