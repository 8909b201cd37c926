-- The telemetry after position $1, up to and with $2, $3 events at most: where the page ends, whether that is all, the first event that was recorded at $4 or
-- later, how many events come before that one, and how many of those are of the category whose streams lie from $5 on, before $6.
with page as materialized (
  select position, stream, recorded_at
  from :"schema".telemetry
  where position > $1 and position <= $2
  order by position
  limit $3
), edge as (
  select min(position) as newer from page where recorded_at >= $4
)
select
  max(page.position)::float8 as last,
  count(page.position) < $3 as "isAll",
  max(edge.newer)::float8 as newer,
  (count(page.position) filter (where page.position < coalesce(edge.newer, 9223372036854775807)))::integer as seen,
  (count(*) filter (where page.stream >= $5 and page.stream < $6 and page.position < coalesce(edge.newer, 9223372036854775807)))::integer as events
from edge
left join page on true
