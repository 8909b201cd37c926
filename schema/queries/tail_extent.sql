-- How far the log goes above a position: without a gap, at all, and how many events were looked at for that.
select
  max(position) filter (where position = $1 + nth) as contiguous,
  max(position) as highest,
  count(*)::integer as seen
from (
  select position, row_number() over (order by position) as nth
  from (
    select position
    from :"schema".log_events
    where position > $1
    order by position
    limit $2
  ) ahead
) numbered
