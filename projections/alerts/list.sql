-- Alerts, the newest first: of a status $1, a rule $2, as bad as one of the severities $3, of a subject $4, where they are given; those before the
-- alert at $5, $6 at most.
select alert_id as alert, id, rule, subject, status, severity, kind, value, threshold, since, summary, rule_version::integer as "ruleVersion",
  raised_at as "raisedAt", cleared_at as "clearedAt", cleared_why as "clearedWhy", cleared_value as "clearedValue", lasted_ms::float8 as "lastedMs",
  acknowledged_at as "acknowledgedAt", acknowledged_by as "acknowledgedBy", note
from :"schema".alerts
where ($1::text is null or status = $1)
  and ($2::text is null or rule = $2)
  and ($3::text[] is null or severity = any ($3))
  and ($4::text is null or subject = $4)
  and id < coalesce($5::bigint, 9223372036854775807)
order by id desc
limit $6
