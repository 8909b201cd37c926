-- The position after which all telemetry is still there that a filter by streams and categories may want (null wants any); 0 where
-- nothing of it was dropped. A partition was dropped where it was made once, and is no part of the table any more.
create or replace function telemetry_kept_after(streams text[], categories text[])
returns bigint
language plpgsql
stable
set search_path from current
as $$
declare
  _dropped bigint;
begin
  if not exists (
    select from categories kept
    where kept.telemetry
      and (telemetry_kept_after.categories is null or kept.category = any (telemetry_kept_after.categories))
      and (streams is null or exists (
        select from unnest(streams) stream where split_part(stream, '-', 1) = kept.category
      ))
  ) then
    return 0;
  end if;

  _dropped := (
    select max(made.up_to) - 1
    from telemetry_partitions made
    where not exists (
      select from pg_inherits
      join pg_class partition on partition.oid = inhrelid
      where inhparent = 'telemetry'::regclass and partition.relname = made.name
    )
  );
  -- One that lies ahead holds nothing yet: whoever is at the head misses nothing.
  return case
    when _dropped is null then 0
    else least(_dropped, (select case when is_called then last_value else 0 end from log_position))
  end;
end
$$;
