-- Values that the fleet shares in which a query ($1, as websearch_to_tsquery takes it) is found: changed since a time ($3) where given, the best $5
-- among the newest $4. $6 is how a snippet is made.
with found as (
  select id, key as heading, value::text as body, updated_at as at
  from :"schema".system_state
  where :"schema".search_document(key, value::text) @@ websearch_to_tsquery('pg_catalog.simple', $1)
    and $2::text is null and updated_at >= coalesce($3::timestamptz, '-infinity')
  order by updated_at desc
  limit $4
), best as (
  select *, ts_rank_cd(:"schema".search_document(heading, body), websearch_to_tsquery('pg_catalog.simple', $1), 1) as rank
  from found
  order by rank desc, at desc, id desc
  limit $5
)
select heading as id, null as agent, heading as title, rank::float8 as rank, at,
  ts_headline('pg_catalog.simple', left(concat_ws(' ', heading, body), 10000), websearch_to_tsquery('pg_catalog.simple', $1), $6) as snippet
from best
