-- The links of these ids.
select link, hub, members, keys, tiers, strategy, rules, priority, status
from :"schema".state_links
where link = any ($1::text[])
order by link
