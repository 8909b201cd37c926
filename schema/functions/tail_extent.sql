-- How far the log goes above a position now: without a gap, at all, how many events were looked at for that, and whether
-- there is any of the wanted types before the gap. Planned once: planning takes longer than looking at what came in a moment.
create or replace function tail_extent(
  after           bigint,
  batch           integer,
  types           text[],
  out contiguous  bigint,
  out highest     bigint,
  out seen        integer,
  out wanted      boolean
)
language plpgsql
stable
set search_path from current
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  select
    max(position) filter (where position = after + nth),
    max(position),
    count(*),
    coalesce(bool_or(type = any (types)) filter (where position = after + nth), false)
  into contiguous, highest, seen, wanted
  from (
    select position, type, row_number() over (order by position) as nth
    from (
      select event.position, event.type
      from log_events event
      where event.position > after
      order by event.position
      limit batch
    ) ahead
  ) numbered;
end
$$;
