-- How an agent ($1) is by its interval, or by $2, in ms, where nothing is known of it: what the watchdog has said last, since when, how many beats
-- it has missed by now one after the other, and what its last beat said.
select
  coalesce(known.health, 'unknown') as health,
  known.since,
  coalesce(known.interval_ms, $2::integer) as "intervalMs",
  case when known.health <> 'unknown' or (known.standing = 'watched' and known.is_promised)
    then least(floor(extract(epoch from now() - known.heard_at) * 1000 / known.interval_ms), 2147483647)::integer
    else 0
  end as missed,
  last.timestamp as "lastBeatAt",
  last.state,
  last.error_count as "errorCount"
from (select $1::text as agent_id) asked
left join :"schema".agent_health known using (agent_id)
left join lateral (
  select timestamp, state, error_count
  from :"schema".agent_heartbeats
  where agent_id = $1
  order by timestamp desc
  limit 1
) last on true
