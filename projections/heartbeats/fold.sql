-- What is no count of errors, as SQL may have appended it, is none.
insert into :"agent_heartbeats" (id, agent_id, timestamp, state, error_count, metrics, created_at, occurred_at, recorded_at)
select
  event.position,
  substr(event.stream, strpos(event.stream, '-') + 1),
  coalesce(:"schema".occurred_at(event.data), event.recorded_at),
  event.data ->> 'state',
  case when jsonb_typeof(event.data -> 'errorCount') = 'number'
    then case when (event.data ->> 'errorCount')::numeric between 0 and 2147483647 then (event.data ->> 'errorCount')::numeric::integer else 0 end
    else 0
  end,
  event.data -> 'metrics',
  event.recorded_at,
  :"schema".occurred_at(event.data),
  event.recorded_at
from :batch event
