-- Notices a restore or a fail-over: another server, or another timeline of it, than the one that the log last knew.
-- Positions above the head of that moment may have meant something else before, so the log enters a new epoch.
create or replace function enter_epoch(out log_id uuid, out epoch integer)
language plpgsql
volatile
security definer
set search_path from current
as $$
declare
  _system    bigint := (select system_identifier from pg_control_system());
  _timeline  bigint := (select timeline_id from pg_control_checkpoint());
  _last      epochs%rowtype;
begin
  select log.log_id, log.epoch into enter_epoch.log_id, enter_epoch.epoch from log;
  if pg_is_in_recovery() then
    return;
  end if;

  select * into _last from epochs order by epochs.epoch desc limit 1;
  if (_last.system_identifier, _last.timeline) = (_system, _timeline) then
    return;
  end if;

  perform from log for update;
  select * into _last from epochs order by epochs.epoch desc limit 1;
  if (_last.system_identifier, _last.timeline) is distinct from (_system, _timeline) then
    insert into epochs (epoch, after_position, system_identifier, timeline)
    values (coalesce(_last.epoch, 0) + 1, coalesce((select max(position) from log_events), 0), _system, _timeline)
    returning epochs.epoch into enter_epoch.epoch;
    update log set epoch = enter_epoch.epoch;
  end if;
end
$$;

revoke execute on function enter_epoch from public;
