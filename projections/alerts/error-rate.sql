-- How many system events there were in the window of each of the rules of error rates ($1, a JSON list), how many of them errors, and since when.
select wanted.rule, counted.total, counted.errors, counted.since
from (
  select
    rule, condition ->> 'agent' as agent, now() - make_interval(secs => (condition ->> 'windowMs')::float8 / 1000) as begins
  from jsonb_to_recordset($1::jsonb) as one (rule text, condition jsonb)
) wanted
cross join lateral (
  select
    count(*)::float8 as total,
    count(*) filter (where severity in ('ERROR', 'CRITICAL'))::float8 as errors,
    min(timestamp) filter (where severity in ('ERROR', 'CRITICAL')) as since
  from :"schema".system_events
  where severity in ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL') and timestamp > wanted.begins and timestamp <= now()
    and (wanted.agent is null or agent_id = wanted.agent)
) counted
