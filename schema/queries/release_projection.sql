update :"schema".projections
set owner = null
where name = $1 and owner = $2
