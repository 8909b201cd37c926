-- System events, the newest first: of the severities $1, of the type $2 and the agent $3 where they are given, from $4 on, until before $5,
-- those that come before the event $6, $7 at most. Each severity is looked up by itself, so that one index has the newest of it in order,
-- whatever else is asked for: of the four looks within, the one that the question is for is done, and the others are not.
with bounds as (
  select coalesce($4::timestamptz, '-infinity') as since, coalesce($5::timestamptz, 'infinity') as until,
    coalesce($6::bigint, 0) as before_id,
    case when $6::bigint is null then 'infinity' else (select timestamp from :"schema".system_events where id = $6) end as before
), found as (
  select one.id, one.timestamp
  from bounds
  cross join unnest($1::text[]) wanted(severity)
  cross join lateral (
    (
      select id, timestamp
      from :"schema".system_events
      where $2::text is null and $3::text is null and severity = wanted.severity
        and timestamp >= since and timestamp < until and (timestamp, id) < (before, before_id)
      order by timestamp desc, id desc
      limit $7
    )
    union all
    (
      select id, timestamp
      from :"schema".system_events
      where $3::text is null and event_type = $2 and severity = wanted.severity
        and timestamp >= since and timestamp < until and (timestamp, id) < (before, before_id)
      order by timestamp desc, id desc
      limit $7
    )
    union all
    (
      select id, timestamp
      from :"schema".system_events
      where $2::text is null and agent_id = $3 and severity = wanted.severity
        and timestamp >= since and timestamp < until and (timestamp, id) < (before, before_id)
      order by timestamp desc, id desc
      limit $7
    )
    union all
    (
      select id, timestamp
      from :"schema".system_events
      where agent_id = $3 and event_type = $2 and severity = wanted.severity
        and timestamp >= since and timestamp < until and (timestamp, id) < (before, before_id)
      order by timestamp desc, id desc
      limit $7
    )
  ) one
  order by one.timestamp desc, one.id desc
  limit $7
)
select event.id, event.event_type as type, event.event_data as data, event.agent_id as agent, event.severity, event.timestamp,
  event.occurred_at as "occurredAt", event.recorded_at as "recordedAt"
from found
join :"schema".system_events event using (id)
order by event.timestamp desc, event.id desc
