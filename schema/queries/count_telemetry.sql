-- How many events of telemetry lie after position $1, up to and with $2.
select count(*)::float8 as events from :"schema".telemetry where position > $1 and position <= $2
