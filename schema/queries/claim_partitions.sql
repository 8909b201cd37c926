-- An engine becomes the owner of so many partitions that nobody alive owns, under new epochs. Who holds a row is at work on it.
-- Where the streams are about to be dealt anew, a partition that has come that far has nothing more to do but to try held events
-- again while another is behind; unless all have and nobody owns one: then the last to come is gone, and whoever claims one deals. The subscription is locked as well, so that it is
-- seen as it is when the claim counts, and not as it was before somebody changed it; and so are the owners that were not heard of.
-- Who has left claims nothing any more.
with member as (
  select engine
  from :"schema".subscription_members
  where subscription = $1 and engine = $2
  for key share
),
gone as (
  select engine from :"schema".lock_gone_owners($1) engine
),
-- Chosen once: a limit that is asked again, after an update, gives the next ones.
claimed as materialized (
  select free.partition, subscription.next_at, subscription.partitions, subscription.filter
  from :"schema".subscription_cursors free
  join :"schema".subscriptions subscription on subscription.name = free.subscription
  where free.subscription = $1
    and exists (select from member)
    and free.state = 'running'
    and subscription.state = 'running'
    and (
      subscription.next_at is null
      or free.position < subscription.next_at
      or not exists (
        select from :"schema".subscription_cursors other
        left join :"schema".engines on engine = other.owner
        where other.subscription = $1
          and (other.position < subscription.next_at or (engine is not null and not engine in (select engine from gone)))
      )
      or exists (
        select from :"schema".held_events held
        where held.subscription = $1 and held.partition = free.partition and held.due_at <= clock_timestamp()
      )
      and exists (
        select from :"schema".subscription_cursors other
        where other.subscription = $1 and (other.position < subscription.next_at or other.state = 'stopped')
      )
    )
    and not free.partition = any ($4::integer[])
    and (
      free.owner is null
      or free.owner = $2
      or free.owner in (select engine from gone)
      or not exists (select from :"schema".engines holder where holder.engine = free.owner)
    )
  order by free.partition
  limit $3
  for update of free skip locked
  for share of subscription skip locked
)
update :"schema".subscription_cursors cursor
set owner = $2, epoch = cursor.epoch + 1
from claimed
where cursor.subscription = $1 and cursor.partition = claimed.partition
returning
  cursor.partition, cursor.epoch, cursor.position, claimed.next_at, claimed.partitions, claimed.filter,
  (select case when is_called then last_value else 0 end from :"schema".log_position) as head
