-- Events of telemetry after position $1, up to and with $2, $3 at most, as lines of an archive: as the log has them, each number to its last digit.
select event.position::float8, jsonb_build_object(
  'position', event.position, 'id', id, 'stream', stream, 'version', version, 'type', type, 'data', data, 'labels', labels, 'meta', meta,
  'recordedAt', to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'schemaVersion', schema_version
)::text as line
from :"schema".telemetry event
where event.position > $1 and event.position <= $2
order by event.position
limit $3
