-- Per agent and metric, over the last $3 hours.
select agent_id as agent, metric_name as name, avg(value)::float8 as avg, min(value)::float8 as min,
  max(value)::float8 as max, count(*)::integer as count
from :"schema".performance_metrics
where ($1::text is null or agent_id = $1)
  and ($2::text is null or metric_name = $2)
  and timestamp > now() - make_interval(hours => $3)
group by agent_id, metric_name
order by agent_id, metric_name
