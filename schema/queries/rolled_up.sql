-- What was told last of the sums in a stream ($1), and the stream's version; no row where nothing was.
select
  (select max(version) from :"schema".events where stream = $1)::float8 as version,
  data -> 'isLast' = 'true' as "isLast", data -> 'hours' -> -1 as last
from :"schema".events
where stream = $1 and type = 'MetricsRolledUp'
order by events.version desc
limit 1
