-- Whether a telemetry partition has an event of the category whose streams lie from $1 on, before $2.
select exists (select from :"schema".:"partition" where stream >= $1 and stream < $2) as holds
