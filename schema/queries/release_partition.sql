-- An owner leaves a partition to others.
update :"schema".subscription_cursors
set owner = null
where subscription = $1 and partition = $2 and epoch = $3 and owner = $4
