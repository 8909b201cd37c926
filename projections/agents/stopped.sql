-- Those of the agents $1 that are stopped.
select agent_id as agent
from :"schema".agents
where agent_id = any ($1::text[]) and stopped_at is not null
order by agent_id
