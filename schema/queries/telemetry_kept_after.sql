select :"schema".telemetry_kept_after($1::text[], $2::text[]) as position
