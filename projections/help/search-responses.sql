-- Answers to requests for help in which a query ($1, as websearch_to_tsquery takes it) is found: of an agent ($2) and since a time ($3) where given,
-- the best $5 among the newest $4. $6 is how a snippet is made.
with found as (
  select id, request_id, agent_id, content as body, null::text as heading, generated_at as at
  from :"schema".help_responses
  where :"schema".search_document(null, content) @@ websearch_to_tsquery('pg_catalog.simple', $1)
    and ($2::text is null or agent_id = $2) and generated_at >= coalesce($3::timestamptz, '-infinity')
  order by id desc
  limit $4
), best as (
  select *, ts_rank_cd(:"schema".search_document(heading, body), websearch_to_tsquery('pg_catalog.simple', $1), 1) as rank
  from found
  order by rank desc, at desc, id desc
  limit $5
)
select request_id as id, agent_id as agent, left(body, 200) as title, rank::float8 as rank, at,
  ts_headline('pg_catalog.simple', left(concat_ws(' ', heading, body), 10000), websearch_to_tsquery('pg_catalog.simple', $1), $6) as snippet
from best
