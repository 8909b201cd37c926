-- Engines that were not heard of for so many ms, and will not be: they own nothing that others could not take.
with dead as (
  delete from :"schema".engines
  where alive_until < clock_timestamp() - $1 * interval '1 millisecond'
  returning engine
)
delete from :"schema".subscription_members
where engine in (select engine from dead)
