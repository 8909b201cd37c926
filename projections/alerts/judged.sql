-- Every rule there is, and every one that is gone and has open alerts: its version, null where it is gone; that of the stream of its alerts; and
-- those that are open. A rule of whose alerts the log has anything after $1, up to where they are folded, is left out: it may be judged already.
select
  name.rule, known.version::integer as "ruleVersion", known.condition, known.severity, known.is_enabled as "isEnabled",
  coalesce(head.version, 0)::integer as version, coalesce(pending.alerts, '[]') as open
from (
  select rule from :"schema".alert_rules
  union
  select rule from :"schema".alerts where status = 'open'
) name
left join :"schema".alert_rules known using (rule)
left join lateral (
  select version, position from :"schema".events where stream = 'alert-' || name.rule order by version desc limit 1
) head on true
left join lateral (
  select jsonb_agg(
    jsonb_build_object(
      'alert', alert_id, 'subject', subject, 'severity', severity, 'ruleVersion', rule_version,
      'openMs', greatest(floor(extract(epoch from now() - raised_at) * 1000), 0)
    )
  ) as alerts
  from :"schema".alerts
  where rule = name.rule and status = 'open'
) pending on true
where coalesce(head.position, 0) <= $1::bigint
order by name.rule
