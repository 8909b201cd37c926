-- Agents that are not retired, in which a query ($1, as websearch_to_tsquery takes it) is found: of those of an agent ($2) and changed since a time ($3) where given, the best $5 among the $4
-- that changed last. $6 is how a snippet is made.
with found as (
  select agent_id, coalesce(name, agent_id) as title, updated_at as at, agent_id || ' ' || coalesce(name, '') as heading,
    coalesce(type, '') || ' ' || :"schema".joined(capabilities) || ' ' || coalesce(metadata::text, '') as body
  from :"schema".agents
  where :"schema".search_document(agent_id || ' ' || coalesce(name, ''), coalesce(type, '') || ' ' || :"schema".joined(capabilities) || ' ' || coalesce(metadata::text, ''))
      @@ websearch_to_tsquery('pg_catalog.simple', $1)
    and retired_at is null
    and ($2::text is null or agent_id = $2)
    and updated_at >= coalesce($3::timestamptz, '-infinity')
  order by updated_at desc
  limit $4
), best as (
  select *, ts_rank_cd(:"schema".search_document(heading, body), websearch_to_tsquery('pg_catalog.simple', $1), 1) as rank
  from found
  order by rank desc, at desc, agent_id
  limit $5
)
select agent_id as id, agent_id as agent, left(title, 200) as title, rank::float8 as rank, at,
  ts_headline('pg_catalog.simple', left(heading || ' ' || body, 10000), websearch_to_tsquery('pg_catalog.simple', $1), $6) as snippet
from best
