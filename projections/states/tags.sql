-- The tags of an agent's state, by name.
select tag, name as branch, version::float8 as version, commit, tagged_by as "taggedBy", tagged_at as "taggedAt"
from :"schema".state_tags
where agent = $1
order by tag
