-- What is parked is given up: $1, or all of it.
delete from :"schema".sync_work
where state = 'parked' and ($1::uuid is null or work = $1)
returning work, link, source, target, failure, attempts
