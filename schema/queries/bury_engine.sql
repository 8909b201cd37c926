-- An engine whose process is gone: what it owned is free at once. Were it not gone after all, it comes back by its next sign of life.
-- Whoever locks several engines or members does it in their order.
with gone as (
  delete from :"schema".engines where engine = $1
  returning engine
),
unwatched as (
  delete from :"schema".watches
  where engine = $1 and (select count(*) from gone) is not null
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
