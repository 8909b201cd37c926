-- What every migration ends with: guards on the tables of events, the first telemetry partitions, the epoch.
create or replace function prepare_log()
returns void
language plpgsql
volatile
set search_path from current
as $$
begin
  perform guard_events('events');
  perform guard_events('telemetry');
  perform extend_telemetry((select last_value from log_position));
  perform enter_epoch();
end
$$;
