-- How many system events there are of each of the severities $1, from $2 on (else in the last $4 hours), until before $3.
select wanted.severity, (
  select count(*)
  from :"schema".system_events event
  where event.severity = wanted.severity
    and event.timestamp >= coalesce($2::timestamptz, now() - make_interval(hours => $4))
    and event.timestamp < coalesce($3::timestamptz, 'infinity')
)::integer as count
from unnest($1::text[]) wanted(severity)
