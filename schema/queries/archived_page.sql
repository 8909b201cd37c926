-- Events of telemetry after position $1, up to and with $2, $3 at most and some $4 characters, but one at least, as lines of an archive: as the log has them,
-- each number to its last digit.
select at, line
from (
  select at, line, sum(length(line)) over (order by at) - length(line) as before
  from (
    select event.position::float8 as at, jsonb_build_object(
      'position', event.position, 'id', id, 'stream', stream, 'version', version, 'type', type, 'data', data, 'labels', labels, 'meta', meta,
      'recordedAt', to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'schemaVersion', schema_version
    )::text as line
    from :"schema".telemetry event
    where event.position > $1 and event.position <= $2
    order by event.position
    limit $3
  ) page
) measured
where before <= $4
order by at
