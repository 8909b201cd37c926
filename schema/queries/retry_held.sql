-- Parked events are to be tried again at once, as if for the first time; one of them, or all. What is parked is changed by the
-- verbs alone, and everything else that is held by the owner of its partition, so that neither waits for the other; verbs lock
-- such events in order of position.
with parked as (
  select position
  from :"schema".held_events
  where subscription = $1 and state = 'parked' and ($2::bigint is null or position = $2)
  order by position
  for update
)
update :"schema".held_events held
set state = 'retrying', attempts = 0, due_at = clock_timestamp()
from parked
where held.subscription = $1 and held.position = parked.position
returning held.position
