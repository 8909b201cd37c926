-- The short way for the commonest append, one durable event for a stream that is there: the same steps in the same order as
-- in append_batch, with one row each; and append_batch itself where anything else is the case.
--   expected  as in append_batch
--   verdict   null when the event was appended, else as in append_batch
--   actual    the version of the stream before
create or replace function append_lone(
  stream          text,
  expected        bigint,
  id              uuid,
  type            text,
  data            jsonb,
  labels          text[],
  meta            jsonb,
  schema_version  integer,
  out "position"  bigint,
  out version     bigint,
  out verdict     text,
  out actual      bigint
)
language plpgsql
volatile
security definer
set search_path from current
set plan_cache_mode = force_generic_plan
-- How long one caller's open transaction may hold up another's append; the library waits longer on a connection of its own.
set lock_timeout = '250ms'
as $$
#variable_conflict use_column
declare
  _now timestamptz;
begin
  if current_setting('synchronous_commit') = 'off' then
    perform set_config('synchronous_commit', 'local', true);
  end if;

  if looks_odd(array[append_lone.type], array[append_lone.labels::text], array[append_lone.meta], array[append_lone.schema_version]) then
    perform check_batch(array[append_lone.type], array[append_lone.labels::text], array[append_lone.meta], array[append_lone.schema_version]);
  end if;

  update streams head
  set version = head.version + 1
  where head.stream = append_lone.stream
    and not head.telemetry
    and (append_lone.expected is null
      or append_lone.expected = head.version
      or append_lone.expected = -1 and head.version > 0)
  returning head.version into append_lone.version;

  if found then
    -- In a statement of its own: what another append with this id committed while we waited for the head is seen here.
    select nextval('log_position') into append_lone.position
    from (
      select pg_advisory_xact_lock_shared(log.lock_key) from log
      where not exists (select from events known where known.id = append_lone.id)
      offset 0
    ) held;

    if found then
      actual := append_lone.version - 1;
      _now := clock_timestamp();
      insert into events (position, id, stream, version, type, data, labels, meta, recorded_at, schema_version)
      values (append_lone.position, append_lone.id, append_lone.stream, append_lone.version, append_lone.type,
        append_lone.data, append_lone.labels, append_lone.meta, _now, append_lone.schema_version);
      return;
    end if;

    update streams head set version = head.version - 1 where head.stream = append_lone.stream;
  end if;

  select batch.positions[1], batch.versions[1], batch.verdicts[1], batch.actuals[1]
  into append_lone.position, append_lone.version, append_lone.verdict, append_lone.actual
  from append_batch(array[append_lone.stream], array[1], array[1], array[append_lone.expected], array[append_lone.id],
    array[append_lone.type], array[append_lone.data], array[append_lone.labels::text], array[append_lone.meta],
    array[append_lone.schema_version], null) batch;
end
$$;

revoke execute on function append_lone from public;
