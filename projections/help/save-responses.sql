-- Answers ($1, a JSON list) to requests that were there by then.
insert into :"help_responses" (
  id, request_id, response_id, content, confidence_score, sources, generated_at, agent_id, occurred_at, recorded_at
)
select
  one.id, request_id, one.response_id, one.content, one.confidence, one.sources, coalesce(one.occurred_at, one.recorded_at), one.agent_id,
  one.occurred_at, one.recorded_at
from jsonb_to_recordset($1::jsonb) as one (
  id bigint, request_id text, response_id uuid, content text, confidence numeric, sources jsonb, agent_id text, occurred_at timestamptz,
  recorded_at timestamptz
)
join :"help_requests" request using (request_id)
where one.id > request.id
