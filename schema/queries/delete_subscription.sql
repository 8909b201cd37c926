-- What belongs to a subscription goes in the order in which everybody locks it. How high its epochs were stays, as the last thing
-- that is locked: others wait for that.
with events as (
  select position
  from :"schema".held_events
  where subscription = $1
  order by position
  for update
),
held as (
  delete from :"schema".held_events held
  using events
  where held.subscription = $1 and held.position = events.position
  returning held.position
),
joined as (
  select engine
  from :"schema".subscription_members
  where subscription = $1 and (select count(*) from held) is not null
  order by engine
  for update
),
members as (
  delete from :"schema".subscription_members member
  using joined
  where member.subscription = $1 and member.engine = joined.engine
),
cursors as (
  delete from :"schema".subscription_cursors where subscription = $1
  returning epoch
),
gone as (
  delete from :"schema".subscriptions where name = $1
)
update :"schema".ended_epochs ended
set highest = greatest(ended.highest, last.epoch)
from (select max(epoch) as epoch from cursors where (select count(*) from joined) is not null) last
where last.epoch is not null
