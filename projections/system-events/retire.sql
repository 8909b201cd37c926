-- What was logged as telemetry up to position $1 is over; all else is kept for ever.
delete from :"system_events" where is_telemetry and id <= $1::bigint
