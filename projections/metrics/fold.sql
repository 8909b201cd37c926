insert into :"performance_metrics" (id, agent_id, metric_name, value, unit, timestamp, metadata, occurred_at, recorded_at)
select
  event.position,
  substr(event.stream, strpos(event.stream, '-') + 1),
  event.data ->> 'name',
  (event.data ->> 'value')::numeric,
  event.data ->> 'unit',
  coalesce(:"schema".occurred_at(event.data), event.recorded_at),
  event.data -> 'metadata',
  :"schema".occurred_at(event.data),
  event.recorded_at
from :batch event
