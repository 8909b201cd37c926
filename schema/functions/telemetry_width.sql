-- How many positions a telemetry partition holds. It never changes: the names of the partitions are counted in it.
create or replace function telemetry_width()
returns bigint
language sql
immutable
as $$
  select 10000000::bigint
$$;
