-- What exchanges sum up to, by agent, model or day ($1): from one day ($2) to another ($3), both included; the day -infinity has the sums of
-- all days.
select
  nullif(case $1 when 'day' then day::text else name end, '') as "of", sum(exchanges)::float8 as exchanges,
  sum(prompt_tokens)::float8 as "promptTokens", sum(response_tokens)::float8 as "responseTokens", sum(tokens_used)::float8 as tokens,
  trim_scale(sum(cost))::text as cost, sum(duration_ms)::float8 as "durationMs"
from :"schema".llm_totals
where dimension = $1 and day between $2::date and $3::date
group by 1
order by 1 nulls first
