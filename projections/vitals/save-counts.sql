-- How many agents more, or fewer, there are at work in each state of health ($1, a JSON list of all of them, so that each has a row).
insert into :"agent_health_counts" as known (health, agents)
select health, agents
from jsonb_to_recordset($1::jsonb) as one (health text, agents bigint)
on conflict (health) do update
set agents = known.agents + excluded.agents
