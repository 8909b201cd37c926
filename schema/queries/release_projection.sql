-- An owner leaves a projection to others; not one that it claimed anew meanwhile.
update :"schema".projections
set owner = null
where name = $1 and epoch = $2 and owner = $3
