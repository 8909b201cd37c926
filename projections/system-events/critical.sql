-- How many critical system events there were in the last $1 hours.
select count(*)::integer as critical
from :"schema".system_events
where severity = 'CRITICAL' and timestamp > now() - make_interval(hours => $1)
