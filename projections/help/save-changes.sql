-- What has become of requests ($1, a JSON list of answers and changes of status): the last one says, and answers are counted; what lies before
-- its request in the log is of none.
with change as (
  select one.*
  from jsonb_to_recordset($1::jsonb) as one (
    id bigint, request_id text, status text, answers integer, occurred_at timestamptz, recorded_at timestamptz
  )
  join :"help_requests" request using (request_id)
  where one.id > request.id
),
last as (
  select distinct on (request_id) *
  from change
  order by request_id, id desc
),
counted as (
  select request_id, sum(answers)::integer as answers
  from change
  group by request_id
)
update :"help_requests" request
set status = last.status, answers = request.answers + counted.answers, updated_at = last.recorded_at,
  closed_at = case when last.status = 'closed' then coalesce(last.occurred_at, last.recorded_at) end,
  occurred_at = last.occurred_at, recorded_at = last.recorded_at
from last
join counted using (request_id)
where request.request_id = last.request_id
