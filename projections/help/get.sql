-- One request ($1) as it is now.
select
  id, request_id as request, user_id as "user", content, context, status, priority, answers, created_at as "createdAt", updated_at as "updatedAt",
  closed_at as "closedAt", occurred_at as "occurredAt", recorded_at as "recordedAt"
from :"schema".help_requests
where request_id = $1
