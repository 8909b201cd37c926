-- Drops a telemetry partition as a whole. Who reads or writes telemetry waits, and is waited for.
drop table :"schema".:"partition"
