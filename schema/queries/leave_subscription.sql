-- An engine has no handler for a subscription any more, and owns nothing of it. Its cursors come before its row among the members,
-- as for everybody.
with owned as (
  select partition
  from :"schema".subscription_cursors
  where subscription = $1 and owner = $2
  order by partition
  for update
),
released as (
  update :"schema".subscription_cursors cursor
  set owner = null, clean_epoch = cursor.epoch, begun = null
  from owned
  where cursor.subscription = $1 and cursor.partition = owned.partition and cursor.owner = $2
  returning cursor.partition
)
delete from :"schema".subscription_members
where subscription = $1 and engine = $2 and (select count(*) from released) is not null
