-- Values of agents' states, on branches that are there, but for what links have in common, which is in their members', in which a query ($1, as websearch_to_tsquery takes it) is found: of an agent ($2), and on branches that were changed since a
-- time ($3), where given, the best $5 among $4 on the branches that were changed last. $6 is how a snippet is made.
with found as (
  select branch.agent, branch.name, branch.changed_at as at, held.tier, held.key as heading, held.value::text as body
  from :"schema".state_keys held
  join :"schema".state_branches branch using (branch)
  where held.tier in ('shared', 'persistent') and held.value is not null
    and :"schema".search_document(held.key, held.value::text) @@ websearch_to_tsquery('pg_catalog.simple', $1)
    and branch.deleted_at is null and not starts_with(branch.agent, 'link:')
    and ($2::text is null or branch.agent = $2)
    and branch.changed_at >= coalesce($3::timestamptz, '-infinity')
  order by branch.changed_at desc
  limit $4
), best as (
  select *, ts_rank_cd(:"schema".search_document(heading, body), websearch_to_tsquery('pg_catalog.simple', $1), 1) as rank
  from found
  order by rank desc, at desc, agent, name, tier, heading
  limit $5
)
select agent || case when name = 'main' then '' else '@' || name end || '/' || tier || '/' || replace(replace(heading, '~', '~0'), '/', '~1') as id,
  agent, left(tier || '/' || heading, 200) as title, rank::float8 as rank, at,
  ts_headline('pg_catalog.simple', left(heading || ' ' || body, 10000), websearch_to_tsquery('pg_catalog.simple', $1), $6) as snippet
from best
