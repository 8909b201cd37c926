-- An engine tells which of its watches have ended ($2) and which have begun ($3, so many ms ago); where it tells all there are ($4), no
-- other is left. Returns how many were known of it before; null where it is not in the fleet, and then nothing was told.
with engine as (
  select engine
  from :"schema".engines
  where engine = $1 and not has_left
  for key share
),
begun as (
  select *
  from jsonb_to_recordset($3::jsonb) as begun (watch integer, agent text, branch text, paths text[], name text, age_ms float8)
),
ended as (
  delete from :"schema".watches
  where engine in (select engine from engine)
    and (watch = any ($2::integer[]) or $4 and watch not in (select watch from begun))
),
told as (
  insert into :"schema".watches (engine, watch, agent, branch, paths, name, began_at)
  select engine, watch, agent, branch, paths, name, clock_timestamp() - age_ms * interval '1 millisecond'
  from engine, begun
  on conflict (engine, watch) do update
  set agent = excluded.agent, branch = excluded.branch, paths = excluded.paths, name = excluded.name, began_at = excluded.began_at
)
select (select count(*)::integer from :"schema".watches known where known.engine = engine.engine) as known
from engine
