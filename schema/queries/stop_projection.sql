-- Says which event a projection stopped before, unless another process has got past it.
update :"schema".projections
set state = 'stopped', error = $5
where name = $1 and definition_hash = $2 and epoch = $3 and position = $4
