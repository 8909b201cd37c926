-- Exchanges with language models in which a query ($1, as websearch_to_tsquery takes it) is found: of an agent ($2) and since a time ($3) where
-- given, the best $5 among the newest $4. $6 is how a snippet is made.
with found as (
  select id, conversation_id, agent_id, null::text as heading, prompt || ' ' || coalesce(response, '') as body, timestamp as at
  from :"schema".llm_conversations
  where :"schema".search_document(null, prompt || ' ' || coalesce(response, '')) @@ websearch_to_tsquery('pg_catalog.simple', $1)
    and ($2::text is null or agent_id = $2) and timestamp >= coalesce($3::timestamptz, '-infinity')
  order by id desc
  limit $4
), best as (
  select *, ts_rank_cd(:"schema".search_document(heading, body), websearch_to_tsquery('pg_catalog.simple', $1), 1) as rank
  from found
  order by rank desc, at desc, id desc
  limit $5
)
select conversation_id as id, agent_id as agent, left(body, 200) as title, rank::float8 as rank, at,
  ts_headline('pg_catalog.simple', left(concat_ws(' ', heading, body), 10000), websearch_to_tsquery('pg_catalog.simple', $1), $6) as snippet
from best
