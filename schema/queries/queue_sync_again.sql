-- A synchronisation that failed is to be tried again: $1 source, $2 target, $3 options, $4 priority, $5 failure, $6 in how many ms.
insert into :"schema".sync_work (source, target, options, priority, attempts, failure, due_at)
values ($1, $2, $3, $4, 1, $5, clock_timestamp() + make_interval(secs => $6::float8 / 1000))
returning work
