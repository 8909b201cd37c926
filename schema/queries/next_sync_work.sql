-- In how many ms something is due; null where nothing is to be done.
select greatest(0, extract(epoch from min(greatest(due_at, coalesce(claimed_until, due_at), coalesce(open_until, due_at))) - clock_timestamp())
  * 1000)::float8 as ms
from :"schema".sync_work
left join :"schema".sync_breakers using (target)
where state = 'waiting'
