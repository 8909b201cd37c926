-- What is no finite number, as SQL may have appended it, is no value; what has no name, as after a redaction, was not measured.
insert into :"performance_metrics" (id, agent_id, metric_name, value, unit, timestamp, metadata, occurred_at, recorded_at)
select
  event.position,
  substr(event.stream, strpos(event.stream, '-') + 1),
  left(event.data ->> 'name', 255),
  case when jsonb_typeof(event.data -> 'value') = 'number'
    then case when abs((event.data ->> 'value')::numeric) <= 1.7976931348623158e308 then (event.data ->> 'value')::numeric end
  end,
  event.data ->> 'unit',
  coalesce(:"schema".occurred_at(event.data), event.recorded_at),
  event.data -> 'metadata',
  :"schema".occurred_at(event.data),
  event.recorded_at
from :batch event
where jsonb_typeof(event.data -> 'name') = 'string'
