-- What is no count, no cost or no text, as SQL may have appended it, or after a redaction, was not said.
with exchange as (
  select
    event.position as id,
    substr(event.stream, strpos(event.stream, '-') + 1) as conversation_id,
    left(event.data ->> 'agent', 255) as agent_id,
    coalesce(event.data ->> 'prompt', '') as prompt,
    event.data ->> 'response' as response,
    left(event.data ->> 'model', 255) as model,
    event.data ->> 'provider' as provider,
    case when event.data ->> 'promptTokens' ~ '^[0-9]{1,10}$' then nullif(least((event.data ->> 'promptTokens')::bigint, 2147483648), 2147483648) end::integer as prompt_tokens,
    case when event.data ->> 'responseTokens' ~ '^[0-9]{1,10}$' then nullif(least((event.data ->> 'responseTokens')::bigint, 2147483648), 2147483648) end::integer as response_tokens,
    case when event.data ->> 'tokens' ~ '^[0-9]{1,15}$' then (event.data ->> 'tokens')::bigint end as tokens_used,
    case when event.data ->> 'cost' ~ '^[0-9]{1,12}([.][0-9]{1,18})?$' then (event.data ->> 'cost')::numeric end as cost,
    case when event.data ->> 'durationMs' ~ '^[0-9]{1,10}$' then nullif(least((event.data ->> 'durationMs')::bigint, 2147483648), 2147483648) end::integer as duration_ms,
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
