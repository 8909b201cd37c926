-- The owners of a subscription's partitions notice by the new epochs, and write nothing under the old ones.
update :"schema".subscription_cursors
set epoch = epoch + 1, owner = null
where subscription = $1
