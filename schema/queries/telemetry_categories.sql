-- The categories of telemetry, and up to which position each is over, as its stream of retirement says.
select category, coalesce(said.up_to, 0)::float8 as "retiredUpTo"
from :"schema".categories
cross join lateral (
  select max(least((event.data ->> 'upTo')::numeric, event.position - 1)) as up_to
  from :"schema".events event
  where event.stream = 'telemetry_retirement-' || category and event.type = 'TelemetryRetired'
    and jsonb_typeof(event.data -> 'upTo') = 'number' and (event.data ->> 'upTo')::numeric % 1 = 0
    and abs((event.data ->> 'upTo')::numeric) <= 9007199254740991
) said
where telemetry
order by category
