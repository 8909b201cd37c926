-- How sessions ($1, their streams with their ids $2) stand in the log itself, whatever the read model has folded by now: its row of each, where there is
-- one, what the log has of it beyond that, and the time now. One that is over stays so, whatever comes later.
select
  asked.session_id as session, now(), record.session_id, record.id, record.version, record.user_id, record.agent_id, record.data, record.status, record.ttl_ms,
  record.created_at, record.touched_at, record.expires_at, record.ended_at, record.occurred_at, record.recorded_at, tail.events
from unnest($1::text[], $2::text[]) asked (stream, session_id)
left join :"schema".session_records record on record.session_id = asked.session_id
cross join lateral (
  select
    jsonb_agg(
      jsonb_build_object(
        'position', position, 'id', id, 'version', version, 'type', type, 'data', data,
        'recordedMs', floor(date_part('epoch', recorded_at) * 1000 + 0.0005)
      )
      order by version
    ) as events
  from :"schema".events
  where stream = asked.stream and version > coalesce(record.version, 0) and (record.status is null or record.status = 'active')
) tail
