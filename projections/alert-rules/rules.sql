-- Rules by name: of one name ($1) where it is given, those after $2, $3 at most.
select rule, version::integer, condition as "when", severity, is_enabled as "isEnabled", description, set_by as "setBy", reason,
  created_at as "createdAt", recorded_at as "recordedAt"
from :"schema".alert_rules
where ($1::text is null or rule = $1) and rule > $2
order by rule
limit $3
