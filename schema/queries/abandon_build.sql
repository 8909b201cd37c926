-- Gives up a try, unless its tables are live by now; waits for its own transactions that are still under way.
delete from :"schema".generations
where projection = $1 and generation = $2 and build = $3 and state = 'building'
returning relations
