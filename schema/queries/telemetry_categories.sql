-- The categories of telemetry, and up to which position each is over, as its stream of retirement says: as retired_up_to does.
select category, coalesce(gone.up_to, 0)::float8 as "retiredUpTo"
from :"schema".categories
cross join lateral (
  select max(least(said.up_to, event.position - 1)) as up_to
  from :"schema".events event
  cross join lateral (
    select case
      when jsonb_typeof(event.data -> 'upTo') = 'number' and abs((event.data ->> 'upTo')::numeric) <= 9007199254740991
      then case
        when (event.data ->> 'upTo')::float8 = floor((event.data ->> 'upTo')::float8) then (event.data ->> 'upTo')::float8::bigint
      end
    end as up_to
  ) said
  where event.stream = 'telemetry_retirement-' || category and event.type = 'TelemetryRetired'
) gone
where telemetry
order by category
