-- One agent ($1) as it is now, and how it is: $2 is the interval in ms of one that declares none.
select agent.agent_id as agent, name, type, state, capabilities, heartbeat_interval_ms as "heartbeatIntervalMs", started_at as "startedAt",
  stopped_at as "stoppedAt", retired_at as "retiredAt", config, metadata, created_at as "createdAt", updated_at as "updatedAt",
  occurred_at as "occurredAt", agent.recorded_at as "recordedAt",
  coalesce(known.health, 'unknown') as health, known.since as "healthSince", coalesce(known.interval_ms, $2::integer) as "intervalMs",
  known.last_beat_at as "lastBeatAt",
  case when known.health <> 'unknown' or (known.standing = 'watched' and known.is_promised)
    then least(floor(extract(epoch from now() - known.heard_at) * 1000 / known.interval_ms), 2147483647)::integer
    else 0
  end as missed
from :"schema".agents agent
left join :"schema".agent_health known using (agent_id)
where agent.agent_id = $1
