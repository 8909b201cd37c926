-- Events of telemetry after position $1, up to and with $2, as lines of an archive: as many as wanted ($3), or as make up so many characters ($4). As the log
-- has them, each number to its last digit.
select at, line, so_far >= $4 as "isCut"
from (
  select *, sum(length(line)) over (order by at rows unbounded preceding) as so_far
  from (
    select event.position::float8 as at, jsonb_build_object(
      'position', event.position, 'id', id, 'stream', stream, 'version', version, 'type', type, 'data', data, 'labels', labels, 'meta', meta,
      'recordedAt', to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'schemaVersion', schema_version
    )::text as line
    from :"schema".telemetry event
    where event.position > $1 and event.position <= $2
    order by event.position
    limit $3
  ) ahead
) summed
where so_far - length(line) < $4
order by at
