-- The transactions of this database that have been open for longer than $1 ms, the oldest first, prepared ones (without a pid) included; never what they
-- say, which may hold secrets. The backends $2 are those of whoever asks, and not among them.
select *
from (
  select
    session.pid,
    session.application_name as application,
    session.usename as "user",
    session.state,
    extract(epoch from clock_timestamp() - session.xact_start)::float8 * 1000 as "ageMs"
  from pg_stat_activity session
  where session.datname = current_database()
    and session.backend_type = 'client backend'
    and session.pid <> pg_backend_pid()
    and session.pid <> all ($2::integer[])
  union all
  select
    null,
    null,
    prepared.owner,
    'prepared transaction',
    extract(epoch from clock_timestamp() - prepared.prepared)::float8 * 1000
  from pg_prepared_xacts prepared
  where prepared.database = current_database()
) open
where open."ageMs" > $1
order by open."ageMs" desc
