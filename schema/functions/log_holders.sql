-- The transactions that hold this log's lock now: each may still make an event appear below the highest position.
-- Returns virtual transaction ids; a prepared transaction shows as -1/xid, without a pid.
-- A standby has no locks of the primary: nobody there would look like nobody anywhere, so it refuses to say.
create or replace function log_holders(out holder text, out pid integer)
returns setof record
language plpgsql
volatile
set search_path from current
as $$
begin
  if pg_is_in_recovery() then
    raise exception 'the locks of the log cannot be seen from a standby'
      using errcode = 'read_only_sql_transaction', hint = 'Read only up to settled_position(), or on the primary.';
  end if;

  return query
  select held.virtualtransaction, held.pid
  from log, pg_lock_status() held
  where held.locktype = 'advisory'
    and held.granted
    and held.database = (select oid from pg_database where datname = current_database())
    and held.classid = ((log.lock_key >> 32) & 4294967295)::oid
    and held.objid = (log.lock_key & 4294967295)::oid
    and held.objsubid = 1;
end
$$;
