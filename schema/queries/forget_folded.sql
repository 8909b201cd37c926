-- What was folded is thrown away, to be folded again.
update :"schema".generations
set folded = '{}', folded_events = 0
where projection = $1 and generation = $2 and build = $3 and state = 'building'
