-- Work $1 that failed because of $2 is due again in $3 ms, or parked where that is null.
update :"schema".sync_work work
set attempts = attempts + 1, failure = $2, claimed_until = null,
  state = case when $3::float8 is null then 'parked' else state end,
  due_at = clock_timestamp() + make_interval(secs => coalesce($3::float8, 0) / 1000)
where work = $1
