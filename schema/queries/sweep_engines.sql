-- Engines that were not heard of for so many ms, and will not be: they own nothing that others could not take.
with silent as (
  select engine
  from :"schema".engines
  where alive_until < clock_timestamp() - $1 * interval '1 millisecond'
  order by engine
  for update
),
dead as (
  delete from :"schema".engines engine
  using silent
  where engine.engine = silent.engine
  returning engine.engine
),
lost as (
  select engine, watch
  from :"schema".watches
  where engine in (select engine from dead) or engine not in (select engine from :"schema".engines)
  order by engine, watch
  for update skip locked
),
unwatched as (
  delete from :"schema".watches watched
  using lost
  where watched.engine = lost.engine and watched.watch = lost.watch
),
joined as (
  select subscription, engine
  from :"schema".subscription_members
  where engine in (select engine from dead)
  order by subscription, engine
  for update
)
delete from :"schema".subscription_members member
using joined
where member.subscription = joined.subscription and member.engine = joined.engine
