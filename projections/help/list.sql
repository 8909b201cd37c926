-- Requests, the newest first: in a status ($1), of a user ($2), of a priority ($3), each where given; so many ($4), before a position ($5)
-- where there is one.
select
  id, request_id as request, user_id as "user", content, context, status, priority, answers, created_at as "createdAt", updated_at as "updatedAt",
  closed_at as "closedAt", occurred_at as "occurredAt", recorded_at as "recordedAt"
from :"schema".help_requests
where ($1::text is null or status = $1)
  and ($2::text is null or user_id = $2)
  and ($3::text is null or priority = $3)
  and id < coalesce($5::bigint, 9223372036854775807)
order by id desc
limit $4
