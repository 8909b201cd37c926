-- Work $1 was not done, through no fault of its own: it is due again in $2 ms, in the state $3.
with released as materialized (
  select work
  from :"schema".sync_work
  where work = any ($1::uuid[])
  order by link, source, target
  for update
)
update :"schema".sync_work work
set claimed_until = null, state = $3, due_at = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
from released
where work.work = released.work
