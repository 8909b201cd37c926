-- An owner leaves a partition to others. Where somebody is at its row in this moment, it is not waited for: its engine comes again.
update :"schema".subscription_cursors
set owner = null, clean_epoch = epoch, begun = null
where (subscription, partition) = (
  select subscription, partition
  from :"schema".subscription_cursors
  where subscription = $1 and partition = $2 and epoch = $3 and owner = $4
  for update skip locked
)
