-- Work $1 is still being done: for another $2 ms it is nobody else's. Work that is not claimed any more stays free.
update :"schema".sync_work
set claimed_until = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
where work = any ($1::uuid[]) and claimed_until is not null
