-- Measurements up to position $1 are over: so are the minutes of parts that lie before it as a whole.
delete from :"metric_minutes" where part < ($1::bigint + 1) / :"schema".telemetry_width()
