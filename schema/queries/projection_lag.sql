-- How many events of its types ($4) a projection has still to fold, after one position and up to another, and how long the oldest
-- has been there; looks over $3 events at most.
select
  count(*) = $3 as is_cut,
  count(*) filter (where type = any ($4))::integer as events,
  extract(epoch from clock_timestamp() - min(recorded_at) filter (where type = any ($4)))::float8 * 1000 as oldest_ms
from (
  select type, recorded_at
  from :"schema".log_events
  where position > $1 and position <= $2
  order by position
  limit $3
) ahead
