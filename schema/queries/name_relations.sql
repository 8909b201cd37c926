-- A generation that is older than the table of generations learns which tables it has.
update :"schema".generations
set relations = $3
where projection = $1 and definition_hash = $2 and relations = '{}'
