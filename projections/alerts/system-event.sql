-- How many system events the rules of them ($1, a JSON list) find in their windows, and since when.
select wanted.rule, counted.events, counted.since
from (
  select
    rule, condition ->> 'agent' as agent, condition ->> 'type' as type,
    severities[array_position(severities, condition ->> 'severity') :] as severities,
    now() - make_interval(secs => (condition ->> 'windowMs')::float8 / 1000) as begins
  from jsonb_to_recordset($1::jsonb) as one (rule text, condition jsonb)
  cross join (values (array['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'])) known (severities)
) wanted
cross join lateral (
  select count(*)::float8 as events, min(timestamp) as since
  from :"schema".system_events
  where severity = any (wanted.severities) and timestamp > wanted.begins and timestamp <= now()
    and (wanted.type is null or event_type = wanted.type)
    and (wanted.agent is null or agent_id = wanted.agent)
) counted
