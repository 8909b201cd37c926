-- Up to which position telemetry is over, as the stream $1 says up to position $2; null where it does not say. Like retiredUpTo in the library: no
-- event speaks of what comes after it, and what is no whole number that a double holds says nothing.
select max(least(said.up_to, event.position - 1))::float8 as "upTo"
from :"schema".events event
cross join lateral (
  select case
    when jsonb_typeof(event.data -> 'upTo') = 'number' and abs((event.data ->> 'upTo')::numeric) <= 9007199254740991
    then case
      when (event.data ->> 'upTo')::float8 = floor((event.data ->> 'upTo')::float8) then (event.data ->> 'upTo')::float8::bigint
    end
  end as up_to
) said
where event.stream = $1 and event.type = 'TelemetryRetired' and event.position <= $2
