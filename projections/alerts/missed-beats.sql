-- The agents that rules of missed beats ($1, a JSON list) find late or lost, and how many beats each has missed by now, one after the other.
select
  wanted.rule, known.agent_id as subject, known.health, known.since,
  least(floor(extract(epoch from now() - known.heard_at) * 1000 / known.interval_ms), 2147483647)::integer as missed
from (
  select
    rule, condition ->> 'agent' as agent,
    case condition ->> 'from' when 'lost' then array['lost'] else array['late', 'lost'] end as healths
  from jsonb_to_recordset($1::jsonb) as one (rule text, condition jsonb)
) wanted
join :"schema".agent_health known
  on known.health in ('late', 'lost') and known.health = any (wanted.healths) and (wanted.agent is null or known.agent_id = wanted.agent)
