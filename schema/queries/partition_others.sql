-- Whether a telemetry partition has an event of none of the categories $1, which only SQL can have put there.
select exists (select from :"schema".:"partition" where split_part(stream, '-', 1) <> all ($1::text[])) as holds
