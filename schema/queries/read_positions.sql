-- The events at some positions, each by the index, also with a plan that was made when the log was empty.
select
  position, id, stream, version, type, data::text as data, labels, meta::text as meta, recorded_ms, schema_version,
  false as is_cut
from unnest($1::bigint[]) as wanted (at)
cross join lateral (
  select *
  from :"schema".event_rows
  where position >= wanted.at and position <= wanted.at
  order by position
  limit 1
) event
order by position
