-- A target could not be written once more, because of $2: from the $3rd time on nothing is brought into it for a while, of $4 ms at first, doubling up to $5.
insert into :"schema".sync_breakers as breaker (target, failures, failure, open_until)
values ($1, 1, $2, case when $3 <= 1 then clock_timestamp() + make_interval(secs => $4::float8 / 1000) end)
on conflict (target) do update set
  failures = breaker.failures + 1,
  failure = excluded.failure,
  open_until = case
    when breaker.failures + 1 >= $3::integer then clock_timestamp()
      + make_interval(secs => least($5::float8, $4::float8 * power(2, least(breaker.failures + 1 - $3::integer, 30))) / 1000)
  end
