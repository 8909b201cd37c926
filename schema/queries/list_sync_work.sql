-- What is still to be done, what has waited longest first; $1: of a link only; $2: in a state only.
select work, link, source, target, priority, attempts, failure, queued_at as "queuedAt", due_at as "dueAt",
  case
    when state <> 'waiting' then state
    when claimed_until > clock_timestamp() then 'running'
    when failure is null then 'waiting'
    else 'retrying'
  end as state
from :"schema".sync_work
where ($1::uuid is null or link = $1)
  and ($2::text is null or $2 = case
    when state <> 'waiting' then state
    when claimed_until > clock_timestamp() then 'running'
    when failure is null then 'waiting'
    else 'retrying'
  end)
order by queued_at, work
limit $3
