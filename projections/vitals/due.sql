-- Agents that the watchdog has to look at by now, by when they were due: so many ($2), after one that was due at $3 with the id $4. An agent of
-- which the log has anything after $1, up to where it is folded, is left out: that may be its beat. version is that of the stream that says
-- how it is, and missed how many beats it has missed one after the other.
select known.agent_id as agent, known.health, known.interval_ms as "intervalMs", known.heard::float8 as heard, known.heard > known.judged as "isHeard",
  known.last_beat_at as "lastBeatAt", known.due_at as "dueAt", coalesce(verdict.version, 0)::integer as version,
  least(floor(extract(epoch from now() - known.heard_at) * 1000 / known.interval_ms), 2147483647)::integer as missed
from :"schema".agent_health known
left join lateral (
  select version, position from :"schema".events where stream = 'health-' || known.agent_id order by version desc limit 1
) verdict on true
left join lateral (
  select position from :"schema".events where stream = 'agent-' || known.agent_id order by version desc limit 1
) told on true
left join lateral (
  select position from :"schema".log_events where stream = 'heartbeat-' || known.agent_id order by version desc limit 1
) beat on true
where known.due_at <= now() and (known.due_at, known.agent_id) > ($3::timestamptz, $4::text)
  and greatest(verdict.position, told.position, beat.position, 0) <= $1::bigint
order by known.due_at, known.agent_id
limit $2
