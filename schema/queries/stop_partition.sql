-- A partition stops where it is, with what stopped it, until somebody has it go on.
update :"schema".subscription_cursors
set owner = null, state = 'stopped', error = $5, clean_epoch = epoch, begun = null
where subscription = $1 and partition = $2 and epoch = $3 and owner = $4
