-- Takes the log's shared lock and then draws a position for each event that is appended, in their order;
-- the positions of all others stay as they are. The lock and the numbers come through this log's own table,
-- so that both happen on the node that holds it.
create or replace function draw_positions(verdicts text[], known bigint[], events integer)
returns bigint[]
language plpgsql
volatile
set search_path from current
as $$
declare
  _drawn   bigint[];
  _wanted  integer := events;
begin
  if verdicts is not null then
    _wanted := cardinality(array_positions(verdicts, 'appended'));
  end if;

  with held as materialized (
    select pg_advisory_xact_lock_shared(log.lock_key) from log
  ), drawn as materialized (
    select nextval('log_position') as position from held, generate_series(1, _wanted)
  )
  select array_agg(drawn.position order by drawn.position) into _drawn from drawn;

  if verdicts is null then
    return _drawn;
  end if;

  return array(
    select case when given.verdict = 'appended'
      then _drawn[count(*) filter (where given.verdict = 'appended') over (order by given.nth)]
      else given.position end
    from unnest(verdicts, known) with ordinality as given (verdict, position, nth)
    order by given.nth
  );
end
$$;
