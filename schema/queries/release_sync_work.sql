-- Work $1 was not done in the versions $2, through no fault of its own: it is due again in $3 ms, and held where $4, unless there is more to bring by now.
with released as materialized (
  select work.work, work.version = given.version as is_all
  from :"schema".sync_work work
  join unnest($1::uuid[], $2::integer[]) as given (work, version) using (work)
  order by work.link, work.source, work.target
  for update of work
)
update :"schema".sync_work work
set claimed_until = null, due_at = clock_timestamp() + make_interval(secs => $3::float8 / 1000),
  state = case when $4 and released.is_all then 'held' else work.state end
from released
where work.work = released.work
