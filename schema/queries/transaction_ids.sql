-- How far transaction ids have come since those of this database were last frozen, at which age the server freezes by itself whatever is set, and
-- how many sessions of this database are of roles that this one may not look at.
select
  age(datfrozenxid) as age,
  current_setting('autovacuum_freeze_max_age')::integer as "freezeAge",
  (
    select count(*)
    from pg_stat_activity session
    where session.datname = current_database() and session.backend_type is null
  )::integer as "hiddenSessions",
  current_user as role,
  pg_is_in_recovery() as "isStandby"
from pg_database
where datname = current_database()
