-- An engine leaves: what it owned is free at once. Its row stays until it is swept: a sign of life that it sent before, be it the
-- first, may come after this, and then finds that it has left. Whoever locks several engines or members does it in their order.
with gone as (
  insert into :"schema".engines as engine (engine, application, host, pid, process, alive_until, has_left)
  values ($1, $2, $3, $4, $5, clock_timestamp(), true)
  on conflict (engine) do update
  set alive_until = least(engine.alive_until, excluded.alive_until), has_left = true
  returning engine.engine
),
unwatched as (
  delete from :"schema".watches where engine = $1
),
joined as (
  select subscription
  from :"schema".subscription_members
  where engine = $1 and (select count(*) from gone) is not null
  order by subscription
  for update
)
delete from :"schema".subscription_members member
using joined
where member.subscription = joined.subscription and member.engine = $1
