-- What was said of the table in 0001 is not so after a leap of positions. Released with extend_telemetry_ahead.
comment on table telemetry_partitions is 'The telemetry partitions that exist; each ends below up_to, and begins where its own bounds say. Positions that were leapt over belong to none.';
