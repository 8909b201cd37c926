-- A branch that has keys of its own for all that it had from those before it needs none of these any more.
update :"state_branches"
set lineage = array[branch], lineage_up_to = array[9007199254740991]
where branch = $1
