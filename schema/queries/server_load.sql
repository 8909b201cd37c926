-- What the server is at for the database of the log. Of other users' sessions a role sees what they do only where it may read all statistics:
-- the rest are counted as connections, and not as active ones.
select
  session.connections,
  current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer as "maxConnections",
  session.active,
  session."waitingForLocks",
  (database.xact_commit + database.xact_rollback)::text as transactions,
  extract(epoch from clock_timestamp())::float8 * 1000 as "atMs"
from pg_stat_database database
cross join (
  select
    count(*)::integer as connections,
    count(*) filter (where is_other and state = 'active')::integer as active,
    count(*) filter (where is_other and state = 'active' and wait_event_type = 'Lock')::integer as "waitingForLocks"
  from (
    select state, wait_event_type, datname = current_database() and pid <> pg_backend_pid() as is_other
    from pg_stat_activity
    where backend_type = 'client backend' or backend_type is null
  ) client
) session
where database.datname = current_database()
