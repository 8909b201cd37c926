-- The version that a stream had at a time, by the database's clock: found by halving. Where that clock was set back, one of those that
-- were recorded around then. 0 where it had no event yet.
create or replace function version_at_time(stream text, "time" timestamptz)
returns bigint
language plpgsql
stable
set search_path from current
as $$
declare
  _low bigint := 0;
  _high bigint := coalesce((select head.version from streams head where head.stream = version_at_time.stream), 0);
  _middle bigint;
begin
  while _low < _high loop
    _middle := (_low + _high + 1) / 2;
    if (
      select event.recorded_at <= version_at_time.time
      from events event
      where event.stream = version_at_time.stream and event.version = _middle
    ) then
      _low := _middle;
    else
      _high := _middle - 1;
    end if;
  end loop;
  return _low;
end
$$;
