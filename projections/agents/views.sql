-- The agents that say that they run, the longest first, for psql and dashboards.
create or replace view :"home".active_agents as
select agent_id, state, started_at, now() - started_at as uptime, name, type
from :"home".agents
where state = 'running'
order by started_at;
comment on view :"home".active_agents is 'The agents that are running, those that have run the longest first.';
