-- A conversation ($1) in the order of its stream: so many exchanges ($2), after a position ($3).
select
  id, conversation_id as conversation, agent_id as agent, prompt, response, model, provider, prompt_tokens as "promptTokens",
  response_tokens as "responseTokens", tokens_used::float8 as tokens, trim_scale(cost)::text as cost, duration_ms as "durationMs", timestamp, metadata,
  occurred_at as "occurredAt", recorded_at as "recordedAt"
from :"schema".llm_conversations
where conversation_id = $1 and id > $3::bigint
order by conversation_id, id
limit $2
