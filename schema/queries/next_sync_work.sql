-- In how many ms something is due; null where nothing is to be done.
select greatest(0, extract(epoch from next.due - clock_timestamp()) * 1000)::float8 as ms
from (
  select min(greatest(work.due_at, coalesce(work.claimed_until, work.due_at), coalesce(breaker.open_until, work.due_at))) as due
  from :"schema".sync_work work
  left join :"schema".sync_breakers breaker using (target)
  where work.state = 'waiting'
) next
where next.due is not null
