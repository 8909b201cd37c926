-- How much is still to be done, and into what nothing can be brought at present.
select
  count(*) filter (where state = 'waiting' and failure is null)::integer as waiting,
  count(*) filter (where state = 'waiting' and failure is not null)::integer as retrying,
  count(*) filter (where state = 'held')::integer as held,
  count(*) filter (where state = 'parked')::integer as parked,
  coalesce(extract(epoch from clock_timestamp() - min(queued_at) filter (where state = 'waiting')) * 1000, 0)::float8 as "oldestMs",
  (
    select coalesce(jsonb_agg(jsonb_build_object('target', target, 'failures', failures, 'openUntil', open_until, 'failure', failure)
      order by target), '[]')
    from :"schema".sync_breakers breaker
    where open_until is not null and exists (select from :"schema".sync_work one where one.target = breaker.target)
  ) as breakers
from :"schema".sync_work
