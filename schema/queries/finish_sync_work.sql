-- Work that is done, $1, in the versions $2 in which it was taken on: where there is more to bring by now, it is due again. Its targets can be written.
with done as (
  select work, version from unnest($1::uuid[], $2::integer[]) as given (work, version)
),
mended as (
  delete from :"schema".sync_breakers
  where target in (select target from :"schema".sync_work join done using (work))
),
deleted as (
  delete from :"schema".sync_work work
  using done
  where work.work = done.work and work.version = done.version
)
update :"schema".sync_work work
set claimed_until = null, attempts = 0, failure = null, due_at = clock_timestamp()
from done
where work.work = done.work and work.version <> done.version
