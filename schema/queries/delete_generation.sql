-- Waits for a transaction of the try that made it, if one is still under way.
delete from :"schema".generations
where projection = $1 and generation = $2
