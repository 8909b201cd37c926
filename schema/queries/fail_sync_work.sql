-- Work $1 that was taken on and failed in version $2 because of $3 is due again in $4 ms, or parked where that is null, unless something has changed by now.
update :"schema".sync_work work
set attempts = attempts + 1, failure = $3, claimed_until = null,
  state = case when $4::float8 is null and version = $2 then 'parked' else state end,
  due_at = clock_timestamp() + make_interval(secs => coalesce($4::float8, 0) / 1000)
where work = $1 and claimed_until is not null
