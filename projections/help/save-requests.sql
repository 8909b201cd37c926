-- Requests as they were first made ($1, a JSON list in the order of the log): the first of an id is the one.
insert into :"help_requests" (
  id, request_id, user_id, content, context, status, priority, answers, created_at, updated_at, occurred_at, recorded_at
)
select
  id, request_id, user_id, content, context, 'pending', priority, 0, coalesce(occurred_at, recorded_at), recorded_at, occurred_at, recorded_at
from jsonb_to_recordset($1::jsonb) as one (
  id bigint, request_id text, user_id text, content text, context jsonb, priority text, occurred_at timestamptz, recorded_at timestamptz
)
order by id
on conflict (request_id) do nothing
