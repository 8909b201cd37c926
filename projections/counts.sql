-- What the read models hold, in one row: how many agents there are in each state and in each state of health, signs of life and measurements of the last $1 minutes, system events of
-- each severity in the last $2 hours, requests for help by status, sessions that are alive, messages that wait to be acknowledged, and what
-- conversations with models came to today, in UTC.
select
  (
    select coalesce(jsonb_object_agg(state, agents), '{}')
    from (select state, count(*) as agents from :"schema".agents group by state) by_state
  ) as agents,
  (select coalesce(jsonb_object_agg(health, agents), '{}') from :"schema".agent_health_counts) as health,
  (
    select count(*) from :"schema".agent_heartbeats where timestamp > now() - make_interval(mins => $1)
  )::float8 as heartbeats,
  (
    select count(*) from :"schema".performance_metrics where timestamp > now() - make_interval(mins => $1)
  )::float8 as metrics,
  (
    select coalesce(jsonb_object_agg(severity, events), '{}')
    from (
      select severity, count(*) as events
      from :"schema".system_events
      where timestamp > now() - make_interval(hours => $2)
      group by severity
    ) by_severity
  ) as "systemEvents",
  (
    select coalesce(jsonb_object_agg(status, requests), '{}')
    from (select status, count(*) as requests from :"schema".help_requests group by status) by_status
  ) as help,
  (
    select count(*) from :"schema".session_records where status = 'active' and expires_at > now()
  )::float8 as sessions,
  (
    select coalesce(sum(greatest(received - acknowledged, 0)), 0) from :"schema".agent_inboxes where agent_id <> ''
  )::float8 as "unacknowledged",
  (
    select jsonb_build_object('exchanges', exchanges, 'tokens', tokens_used, 'cost', cost::text)
    from :"schema".llm_totals
    where dimension = 'day' and name = '' and day = (now() at time zone 'UTC')::date
  ) as conversations
