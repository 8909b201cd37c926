-- Events of a telemetry partition after position $1, up to and with $2, $3 at most, as lines of an archive: as the log has them, each number to its last digit.
select position::float8, jsonb_build_object(
  'position', position, 'id', id, 'stream', stream, 'version', version, 'type', type, 'data', data, 'labels', labels, 'meta', meta,
  'recordedAt', to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'schemaVersion', schema_version
)::text as line
from :"schema".telemetry
where position > $1 and position <= $2
order by position
limit $3
