-- How far a rebuild is, for those who look at it.
update :"schema".generations
set position = $4, events = $5, target = $6, changed_at = clock_timestamp()
where projection = $1 and generation = $2 and build = $3 and state = 'building'
