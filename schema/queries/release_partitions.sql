-- An engine that has left a subscription owns nothing of it. Whoever changes the subscription holds some cursors and is after the
-- others, so none is waited for here: how many were not free is told, to come again for them.
with owned as (
  select partition
  from :"schema".subscription_cursors
  where subscription = $1 and owner = $2
  order by partition
  for update skip locked
),
released as (
  update :"schema".subscription_cursors cursor
  set owner = null, clean_epoch = cursor.epoch, begun = null
  from owned
  where cursor.subscription = $1 and cursor.partition = owned.partition and cursor.owner = $2
  returning cursor.partition
)
select count(*)::integer as kept
from :"schema".subscription_cursors
where subscription = $1 and owner = $2 and not partition in (select partition from released)
