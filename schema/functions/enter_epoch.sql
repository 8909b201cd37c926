-- Notices a restore or a fail-over: another server or another timeline of it, another database or another table of this log
-- than the log last knew. A restore onto the same server shows in the last two: what is made again gets another oid.
-- Positions above the head of that moment may have meant something else before, so the log enters a new epoch.
create or replace function enter_epoch(out log_id uuid, out epoch integer)
language plpgsql
volatile
security definer
set search_path from current
as $$
declare
  _system    bigint := (select system_identifier from pg_control_system());
  _timeline  bigint;
  _database  oid    := (select oid from pg_database where datname = current_database());
  _log       oid    := 'log'::regclass::oid;
  _head      bigint;
  _last      epochs%rowtype;
begin
  select log.log_id into enter_epoch.log_id from log;
  select * into _last from epochs order by epochs.epoch desc limit 1;
  enter_epoch.epoch := _last.epoch;
  if is_replica() then
    if enter_epoch.log_id is null or enter_epoch.epoch is null then
      raise exception 'the log has not been copied here yet' using errcode = 'cannot_connect_now',
        hint = 'Wait for the initial copy of the replication.';
    end if;
    return;
  end if;

  -- The control file names the timeline of the last checkpoint, which is the old one for a while after a promotion.
  _timeline := ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint;
  if (_last.system_identifier, _last.timeline, _last.database_oid, _last.log_oid)
    = (_system, _timeline, _database, _log)
  then
    return;
  end if;

  -- Somebody else may have entered it while we waited.
  perform from log for update;
  select * into _last from epochs order by epochs.epoch desc limit 1;
  enter_epoch.epoch := _last.epoch;
  if (_last.system_identifier, _last.timeline, _last.database_oid, _last.log_oid)
    is distinct from (_system, _timeline, _database, _log)
  then
    enter_epoch.epoch := coalesce(_last.epoch, 0) + 1;
    _head := coalesce((select max(position) from log_events), 0);
    insert into epochs (epoch, after_position, system_identifier, timeline, database_oid, log_oid)
    values (enter_epoch.epoch, _head, _system, _timeline, _database, _log);
    update log set epoch = enter_epoch.epoch;
    -- Logical replication, and a restore of the tables alone, leave the sequence behind.
    perform setval('log_position', _head)
    from log_position drawn
    where case when drawn.is_called then drawn.last_value else 0 end < _head;
  end if;
end
$$;

revoke execute on function enter_epoch from public;
