-- The links that are neither paused nor over.
select link, hub, members, keys, tiers, strategy, rules, priority, status
from :"schema".state_links
where status = 'active'
order by link
