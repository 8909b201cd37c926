-- How long ago the oldest of the events came that are there above a position, in ms; null where there is none.
select extract(epoch from clock_timestamp() - min(recorded_at))::float8 * 1000 as ms
from (
  select recorded_at
  from :"schema".log_events
  where position > $1
  order by position
  limit $2
) ahead
