-- Says which event a projection stopped before, unless another process has got past it; and leaves it to who may do better.
update :"schema".projections
set state = 'stopped', error = $5, owner = null
where name = $1 and definition_hash = $2 and epoch = $3 and position = $4
