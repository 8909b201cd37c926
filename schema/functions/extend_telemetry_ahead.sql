-- Makes the next telemetry partition half a partition before an append would have to make it, so that no append waits for it.
-- Returns the position from which on it is to be called again. Gives up soon where somebody works on the table.
create or replace function extend_telemetry_ahead(out again_from bigint)
language plpgsql
volatile
security definer
set search_path from current
set lock_timeout = '3s'
as $$
declare
  _half     bigint := telemetry_width() / 2;
  _reached  bigint := (select last_value from log_position);
begin
  perform extend_telemetry(_reached);
  perform extend_telemetry(_reached + _half);
  again_from := (select max(up_to) from telemetry_partitions) - telemetry_width() - _half;
end
$$;

revoke execute on function extend_telemetry_ahead from public;
