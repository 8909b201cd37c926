-- Parked events are to be tried again at once, as if for the first time; one of them, or all.
update :"schema".held_events
set state = 'retrying', attempts = 0, due_at = clock_timestamp()
where subscription = $1 and state = 'parked' and ($2::bigint is null or position = $2)
returning position
