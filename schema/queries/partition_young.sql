-- Whether a telemetry partition has an event, of the category whose streams lie from $1 on, before $2, that was recorded at $3 or later.
select exists (select from :"schema".:"partition" where stream >= $1 and stream < $2 and recorded_at >= $3) as holds
