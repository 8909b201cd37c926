-- Whether an agent beats, whatever its interval and the watchdog say: $1 the agent, $2 after how many minutes without a beat it does not, $3 how
-- many beats are looked back. It has been healthy since the first beat of the present run, and unhealthy since a run's last beat went stale.
with beats as (
  select timestamp, state, error_count
  from :"schema".agent_heartbeats
  where agent_id = $1
  order by timestamp desc
  limit $3
), runs as (
  select *, timestamp - lag(timestamp) over (order by timestamp) > make_interval(mins => $2) as begins
  from beats
), summary as (
  select max(timestamp) as last, coalesce(max(timestamp) filter (where begins), min(timestamp)) as began
  from runs
)
select
  coalesce(last > now() - make_interval(mins => $2), false) as healthy,
  case when last > now() - make_interval(mins => $2) then began else last + make_interval(mins => $2) end as since,
  last as "lastBeatAt",
  newest.state,
  newest.error_count as "errorCount"
from summary
left join lateral (select beats.state, beats.error_count from beats order by timestamp desc limit 1) newest on true
