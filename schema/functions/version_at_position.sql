-- The version that a stream had when the log was up to a position: found by halving, since positions grow with versions. 0 where it
-- had no event yet.
create or replace function version_at_position(stream text, "position" bigint)
returns bigint
language plpgsql
stable
set search_path from current
as $$
declare
  _low bigint := 0;
  _high bigint := coalesce((select head.version from streams head where head.stream = version_at_position.stream), 0);
  _middle bigint;
begin
  while _low < _high loop
    _middle := (_low + _high + 1) / 2;
    if (
      select event.position <= version_at_position.position
      from events event
      where event.stream = version_at_position.stream and event.version = _middle
    ) then
      _low := _middle;
    else
      _high := _middle - 1;
    end if;
  end loop;
  return _low;
end
$$;
