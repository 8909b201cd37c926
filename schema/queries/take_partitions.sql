-- Ends the epochs of those partitions of a subscription that nobody is at in this moment, beside those whose are ended already:
-- their owners write nothing under the old ones, and give them up as soon as they see it, after the event that they are at. Until
-- then nobody else begins there. Who takes waits for no row, so that whoever changes a subscription is never one of two who wait for
-- each other.
with free as (
  select partition
  from :"schema".subscription_cursors
  where subscription = $1 and not partition = any ($2::integer[])
  order by partition
  for update skip locked
),
taken as (
  update :"schema".subscription_cursors cursor
  set epoch = cursor.epoch + 1, clean_epoch = cursor.epoch + 1, begun = null
  from free
  where cursor.subscription = $1 and cursor.partition = free.partition
  returning cursor.partition
)
select
  array (select partition from taken) as taken,
  (select count(*)::integer from :"schema".subscription_cursors where subscription = $1) as partitions
