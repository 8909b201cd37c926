with exchange as (
  select
    event.position as id,
    substr(event.stream, strpos(event.stream, '-') + 1) as conversation_id,
    event.data ->> 'agent' as agent_id,
    event.data ->> 'prompt' as prompt,
    event.data ->> 'response' as response,
    event.data ->> 'model' as model,
    event.data ->> 'provider' as provider,
    (event.data ->> 'promptTokens')::integer as prompt_tokens,
    (event.data ->> 'responseTokens')::integer as response_tokens,
    (event.data ->> 'tokens')::bigint as tokens_used,
    (event.data ->> 'cost')::numeric as cost,
    (event.data ->> 'durationMs')::integer as duration_ms,
    coalesce(:"schema".occurred_at(event.data), event.recorded_at) as timestamp,
    event.data -> 'metadata' as metadata,
    :"schema".occurred_at(event.data) as occurred_at,
    event.recorded_at
  from :batch event
  where event.stream like 'conversation-%'
),
kept as (
  insert into :"llm_conversations" (
    id, conversation_id, agent_id, prompt, response, model, provider, prompt_tokens, response_tokens, tokens_used, cost, duration_ms, timestamp,
    metadata, occurred_at, recorded_at
  )
  select * from exchange
),
dated as (
  select *, coalesce(agent_id, '') as agent, coalesce(model, '') as by_model, (timestamp at time zone 'UTC')::date as day
  from exchange
)
insert into :"llm_totals" as total (dimension, name, day, exchanges, prompt_tokens, response_tokens, tokens_used, cost, duration_ms)
select
  case when grouping(agent) = 0 then 'agent' when grouping(by_model) = 0 then 'model' else 'day' end,
  coalesce(agent, by_model, ''),
  coalesce(day, '-infinity'),
  count(*), coalesce(sum(prompt_tokens), 0), coalesce(sum(response_tokens), 0), coalesce(sum(tokens_used), 0), coalesce(sum(cost), 0),
  coalesce(sum(duration_ms), 0)
from dated
group by grouping sets ((agent, day), (agent), (by_model, day), (by_model), (day))
on conflict (dimension, day, name) do update
set exchanges = total.exchanges + excluded.exchanges, prompt_tokens = total.prompt_tokens + excluded.prompt_tokens,
  response_tokens = total.response_tokens + excluded.response_tokens, tokens_used = total.tokens_used + excluded.tokens_used,
  cost = total.cost + excluded.cost, duration_ms = total.duration_ms + excluded.duration_ms
