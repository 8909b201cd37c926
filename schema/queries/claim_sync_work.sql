-- Takes on what is due, for $2 ms: up to $1 of it, what has waited longest first; one of less priority as if it came $3 ms later.
-- Into a target that could not be written, one thing at a time is tried when its time has come, the next $4 ms after that.
with broken as materialized (
  select target, open_until <= clock_timestamp() as may_try
  from :"schema".sync_breakers
  where open_until is not null
),
candidates as materialized (
  select work.work, work.due_at, work.priority, work.target, broken.may_try
  from :"schema".sync_work work
  left join broken using (target)
  where work.state = 'waiting' and work.due_at <= clock_timestamp()
    and (work.claimed_until is null or work.claimed_until < clock_timestamp()) and broken.may_try is distinct from false
  order by work.due_at + make_interval(secs => work.priority * $3::float8 / 1000), work.work
  limit $1
  for update of work skip locked
),
chosen as (
  select work, target, may_try,
    row_number() over (partition by target order by due_at + make_interval(secs => priority * $3::float8 / 1000), work) as nth
  from candidates
),
trying as (
  update :"schema".sync_breakers breaker
  set open_until = clock_timestamp() + make_interval(secs => $4::float8 / 1000)
  from (select distinct target from chosen where may_try) tried
  where breaker.target = tried.target
)
update :"schema".sync_work work
set claimed_until = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
from chosen
where work.work = chosen.work and (chosen.may_try is null or chosen.nth = 1)
returning work.work, work.link, work.source, work.target, work.options, work.version, work.attempts
