-- Work that is done, $1, in the versions $2 in which it was taken on: where there is more to bring by now, it is due again. Its targets can be written.
-- Rows are locked in the order in which they are put in: whoever puts in more at this moment must not wait for us while we wait for him.
with done as materialized (
  select work.work, given.version, work.version = given.version as is_all, work.target
  from :"schema".sync_work work
  join unnest($1::uuid[], $2::integer[]) as given (work, version) using (work)
  order by work.link, work.source, work.target
  for update of work
),
mended as (
  delete from :"schema".sync_breakers
  where target in (select target from done)
),
deleted as (
  delete from :"schema".sync_work work
  using done
  where work.work = done.work and done.is_all
)
update :"schema".sync_work work
set claimed_until = null, attempts = 0, failure = null, due_at = clock_timestamp()
from done
where work.work = done.work and not done.is_all
