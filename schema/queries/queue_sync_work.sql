-- There is something to bring: $1 link, $2 sources, $3 targets, $4 priority. What was parked is tried again, once.
insert into :"schema".sync_work as work (link, source, target, priority)
select $1, source, target, $4
from unnest($2::text[], $3::text[]) as given (source, target)
order by source, target
on conflict (link, source, target) where link is not null do update set
  version = work.version + 1,
  priority = excluded.priority,
  due_at = case when work.state = 'parked' then clock_timestamp() else work.due_at end,
  state = case when work.state = 'parked' then 'waiting' else work.state end
