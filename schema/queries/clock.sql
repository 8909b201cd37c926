-- The time, by the database's clock, and how many positions a telemetry partition takes.
select clock_timestamp() as now, :"schema".telemetry_width()::float8 as width
