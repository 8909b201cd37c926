-- System events in which a query ($1, as websearch_to_tsquery takes it) is found: of an agent ($2) and since a time ($3) where given, the best $5
-- among the newest $4. $6 is how a snippet is made.
with found as (
  select id, agent_id, event_type as heading, event_data::text as body, timestamp as at
  from :"schema".system_events
  where :"schema".search_document(event_type, event_data::text) @@ websearch_to_tsquery('pg_catalog.simple', $1)
    and ($2::text is null or agent_id = $2) and timestamp >= coalesce($3::timestamptz, '-infinity')
  order by id desc
  limit $4
), best as (
  select *, ts_rank_cd(:"schema".search_document(heading, body), websearch_to_tsquery('pg_catalog.simple', $1), 1) as rank
  from found
  order by rank desc, at desc, id desc
  limit $5
)
select id::text as id, agent_id as agent, heading as title, rank::float8 as rank, at,
  ts_headline('pg_catalog.simple', left(concat_ws(' ', heading, body), 10000), websearch_to_tsquery('pg_catalog.simple', $1), $6) as snippet
from best
