-- Every cursor goes to one position, and what is held beyond it comes again from there.
with beyond as (
  select position
  from :"schema".held_events
  where subscription = $1 and position > $2
  order by position
  for update
),
gone as (
  delete from :"schema".held_events held
  using beyond
  where held.subscription = $1 and held.position = beyond.position
),
dealt as (
  update :"schema".subscriptions set next_at = $2 where name = $1 and next_at is not null
)
update :"schema".subscription_cursors
set position = $2, state = 'running', error = null, moved_at = clock_timestamp()
where subscription = $1
