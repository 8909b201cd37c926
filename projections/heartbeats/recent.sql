-- The latest heartbeats, of one agent where $1 is given, in the last $2 minutes, $3 at most.
select id, agent_id as agent, timestamp, state, error_count as "errorCount", metrics,
  occurred_at as "occurredAt", recorded_at as "recordedAt"
from :"schema".agent_heartbeats
where ($1::text is null or agent_id = $1) and timestamp > now() - make_interval(mins => $2)
order by timestamp desc, id desc
limit $3
