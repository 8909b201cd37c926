-- The agents whose state, on its branch `main`, holds this ($1 tiers, $2 keys, $3 their values), by name: so many ($4), after one ($5). Each
-- key that is looked for is found by the index of contents, where its value is not too long for that, and by its name else.
with wanted as (
  -- As arrays, since the planner takes an object for one of a hundred keys, and one within another for ten thousand.
  select one.tier, one.key, one.value::jsonb as value
  from unnest($1::text[], $2::text[], $3::text[]) as one (tier, key, value)
),
found as (
  select key.branch, wanted.tier, wanted.key
  from wanted
  join :"schema".state_keys key
    on key.bytes <= 8192
    and :"schema".state_entry(key.tier, key.key, key.value) @> :"schema".state_entry(wanted.tier, wanted.key, wanted.value)
  union all
  select key.branch, wanted.tier, wanted.key
  from wanted
  join :"schema".state_keys key
    on key.bytes > 8192 and key.tier = wanted.tier and key.key = wanted.key and not key.is_absent
    and :"schema".state_value_at(key.branch, key.tier, key.key, key.version) @> wanted.value
)
select branch.agent
from found
-- One by one: without statistics, what holds it would be looked for anew for each agent that there is.
cross join lateral (select * from :"schema".state_branches one where one.branch = found.branch offset 0) branch
where branch.name = 'main' and branch.deleted_at is null and branch.agent > coalesce($5, '')
group by branch.branch, branch.agent
having count(*) = (select count(*) from wanted)
order by branch.agent
limit $4
