-- Makes sure that telemetry partitions exist for a position, and one before and ahead of it for appends under way.
-- A stretch that positions leapt over gets none: a leap can be 2^48 wide.
-- A partition is attached rather than created in place, because that lets appends to the others go on.
create or replace function extend_telemetry(reached bigint, width bigint default null)
returns void
language plpgsql
volatile
security definer
set search_path from current
as $$
declare
  _width  bigint  := coalesce(width, telemetry_width());
  _key    integer := hashtext((select log_id from log)::text);
  _from   bigint;
  _name   text;
begin
  if reached < (select max(up_to) from telemetry_partitions) - _width then
    return;
  end if;

  -- Whoever makes the next ones holds up only those who have no partition to write to.
  if not pg_try_advisory_xact_lock(hashtext('tidemark telemetry'), _key) then
    if exists (select from telemetry_partitions where up_to > reached and up_to - _width <= reached) then
      return;
    end if;
    perform pg_advisory_xact_lock(hashtext('tidemark telemetry'), _key);
  end if;

  -- A transaction whose snapshot does not move sees no rows of what others made since, but it sees the tables: taking a lock
  -- that it does not hold yet makes it look.
  lock table telemetry_partitions in row exclusive mode;
  _from := greatest((select max(up_to) from telemetry_partitions), (reached / _width - 1) * _width, 0);
  while reached >= _from - _width loop
    _name := format('telemetry_%s', _from / _width);
    if to_regclass(format('%I.%I', current_schema(), _name)) is null then
      execute format('create table %I (like telemetry including defaults)', _name);
      execute format('alter table %I add constraint bounds check (position >= %s and position < %s)', _name, _from, _from + _width);
      execute format('alter table telemetry attach partition %I for values from (%s) to (%s)', _name, _from, _from + _width);
      perform guard_events(_name::regclass);
      insert into telemetry_partitions (up_to, name) values (_from + _width, _name);
    end if;
    _from := _from + _width;
  end loop;
end
$$;

revoke execute on function extend_telemetry from public;
