-- An owner leaves a partition to others.
update :"schema".subscription_cursors
set owner = null, clean_epoch = epoch, begun = null
where subscription = $1 and partition = $2 and epoch = $3 and owner = $4
