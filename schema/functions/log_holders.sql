-- The transactions that hold this log's lock now: each may still make an event appear below the highest position.
-- Returns virtual transaction ids; a prepared transaction shows as -1/xid, without a pid.
create or replace function log_holders(out holder text, out pid integer)
returns setof record
language sql
volatile
set search_path from current
as $$
  select held.virtualtransaction, held.pid
  from log, pg_lock_status() held
  where held.locktype = 'advisory'
    and held.granted
    and held.database = (select oid from pg_database where datname = current_database())
    and held.classid = ((log.lock_key >> 32) & 4294967295)::oid
    and held.objid = (log.lock_key & 4294967295)::oid
    and held.objsubid = 1
$$;
