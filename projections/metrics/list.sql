-- The latest measurements: of agent $1, of metric $2 where given, in the last $3 hours, $4 at most.
select id, agent_id as agent, metric_name as name, value::float8, unit, timestamp, metadata,
  occurred_at as "occurredAt", recorded_at as "recordedAt"
from :"schema".performance_metrics
where ($1::text is null or agent_id = $1)
  and ($2::text is null or metric_name = $2)
  and timestamp > now() - make_interval(hours => $3)
order by timestamp desc, id desc
limit $4
