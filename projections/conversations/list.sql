-- Exchanges, the newest first: of an agent ($1), in a conversation ($2), with a model ($3), from a time on ($4), before a time ($5), each where
-- given; so many ($6), beyond the one at a position ($7) where there is one.
select
  id, conversation_id as conversation, agent_id as agent, prompt, response, model, provider, prompt_tokens as "promptTokens",
  response_tokens as "responseTokens", tokens_used::float8 as tokens, trim_scale(cost)::text as cost, duration_ms as "durationMs", timestamp, metadata,
  occurred_at as "occurredAt", recorded_at as "recordedAt"
from :"schema".llm_conversations
where ($1::text is null or agent_id = $1)
  and ($2::text is null or conversation_id = $2)
  and ($3::text is null or model = $3)
  and timestamp >= coalesce($4::timestamptz, '-infinity')
  and timestamp < coalesce($5::timestamptz, 'infinity')
  and (timestamp, id) < (
    coalesce((select timestamp from :"schema".llm_conversations where id = $7::bigint), 'infinity'),
    coalesce($7::bigint, 9223372036854775807)
  )
order by timestamp desc, id desc
limit $6
