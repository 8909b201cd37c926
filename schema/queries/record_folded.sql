-- What a transaction of a rebuild has folded, as its last statement: others of the same try wait from here to its commit only.
update :"schema".generations
set folded = folded + int8multirange(int8range($4, $5, '(]')), folded_events = folded_events + $6
where projection = $1 and generation = $2 and build = $3 and state = 'building'
