-- What was measured in the last hour, by agent and metric, for psql and dashboards. For longer times see metric_minutes and metric_hours.
create or replace view :"home".metrics_summary as
select
  agent_id,
  metric_name,
  avg(value) as avg_value,
  max(value) as max_value,
  count(value) as sample_count,
  min(value) as min_value
from :"home".performance_metrics
where timestamp > now() - interval '1 hour'
group by agent_id, metric_name
order by agent_id, metric_name;
comment on view :"home".metrics_summary is 'What was measured in the last hour, by agent and metric.';
