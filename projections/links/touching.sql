-- The links that are not over, and of which some of the streams $1 are a member or the hub.
select link, hub, members, keys, tiers, strategy, rules, priority, status
from :"schema".state_links
where status <> 'ended' and streams && $1::text[]
order by link
