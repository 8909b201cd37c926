-- What is parked is tried again as if for the first time: $1, or all of it.
update :"schema".sync_work
set state = 'waiting', attempts = 0, due_at = clock_timestamp()
where state = 'parked' and ($1::uuid is null or work = $1)
returning work
