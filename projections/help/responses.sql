-- The last answers to a request ($1), so many ($2), in the order in which they were given.
select *
from (
  select
    id, response_id as response, content, confidence_score::float8 as confidence, sources, agent_id as agent, generated_at as "generatedAt",
    occurred_at as "occurredAt", recorded_at as "recordedAt"
  from :"schema".help_responses
  where request_id = $1
  order by request_id desc, id desc
  limit $2
) last
order by id
