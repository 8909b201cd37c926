-- The last events of some streams.
select last.stream, last.type, last.data, last.meta, last.version, last.position, last.recorded_at
from unnest($1::text[]) as wanted (stream)
cross join lateral (
  select *
  from :"schema".events one
  where one.stream = wanted.stream
  order by one.version desc
  limit 1
) last
