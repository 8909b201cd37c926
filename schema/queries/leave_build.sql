-- What was built so far belongs to nobody: the next rebuild drops it.
update :"schema".generations
set owner = null
where projection = $1 and generation = $2 and build = $3 and state = 'building'
