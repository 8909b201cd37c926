-- Who these backends are. Other roles' sessions show little more than their pid, unless one has pg_read_all_stats.
select
  pid,
  application_name as application,
  usename as "user",
  state,
  extract(epoch from clock_timestamp() - xact_start)::float8 * 1000 as age_ms,
  query_start
from pg_stat_activity
where pid = any ($1)
