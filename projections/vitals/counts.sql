-- How many agents that are watched there are in each state of health.
select health, agents::integer
from :"schema".agent_health_counts
