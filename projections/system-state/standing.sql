-- How a key stands in the log itself, ahead of the read model: the version of its stream $1, whether it has a value, and which.
select head.version, last.type is not distinct from 'SystemStateSet' as exists, last.data -> 'value' as value
from (
  select version
  from :"schema".events
  where stream = $1
  order by version desc
  limit 1
) head
left join lateral (
  select type, data
  from :"schema".events
  where stream = $1 and type in ('SystemStateSet', 'SystemStateRemoved')
  order by version desc
  limit 1
) last on true
