-- The heartbeats of the last five minutes, the newest first, for psql and dashboards.
create or replace view :"home".recent_heartbeats as
select agent_id, timestamp, state, error_count, metrics -> 'cpu_usage' as cpu_usage, metrics
from :"home".agent_heartbeats
where timestamp > now() - interval '5 minutes'
order by timestamp desc;
comment on view :"home".recent_heartbeats is 'The heartbeats of the last five minutes, the newest first.';

-- What the heartbeats of the last day say of each agent. What is no number is no usage.
create or replace view :"home".agent_health_summary as
select
  agent_id,
  count(*) as heartbeat_count,
  max(timestamp) as last_heartbeat,
  avg(case when jsonb_typeof(metrics -> 'cpu_usage') = 'number' then (metrics ->> 'cpu_usage')::numeric end) as avg_cpu,
  max(error_count) as error_count
from :"home".agent_heartbeats
where timestamp > now() - interval '24 hours'
group by agent_id;
comment on view :"home".agent_health_summary is 'What the heartbeats of the last 24 hours say of each agent that beat.';
