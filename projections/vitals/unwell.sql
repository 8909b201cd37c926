-- Agents that are in one of the states of health $1, by id: those after an id ($2), so many ($3). Each state is looked up by itself, so that one
-- index has them in order. missed is how many beats they have missed by now, one after the other.
select one.*
from unnest($1::text[]) wanted (health)
cross join lateral (
  select agent_id as agent, known.health, since, interval_ms as "intervalMs", last_beat_at as "lastBeatAt",
    least(floor(extract(epoch from now() - heard_at) * 1000 / interval_ms), 2147483647)::integer as missed
  from :"schema".agent_health known
  where known.health in ('late', 'lost') and known.health = wanted.health and agent_id > $2::text
  order by agent_id
  limit $3
) one
order by one.agent
limit $3
