-- The short way for the commonest batch: one durable event for a stream that is there. Same steps, same order, one row each.
-- Does nothing, and returns nulls, where anything else is the case. Called by append_batch, with its settings.
create or replace function append_one(
  stream          text,
  expected        bigint,
  id              uuid,
  type            text,
  data            jsonb,
  labels          text,
  meta            jsonb,
  schema_version  integer,
  out drawn       bigint,
  out raised      bigint
)
language plpgsql
volatile
as $$
declare
  _before bigint;
begin
  select head.version into _before
  from streams head
  where head.stream = append_one.stream and not head.telemetry
  for update;

  if not found
    or expected <> _before and not (expected = -1 and _before > 0)
    or exists (select from events known where known.id = append_one.id)
  then
    return;
  end if;

  raised := _before + 1;
  update streams head set version = raised where head.stream = append_one.stream;

  perform pg_advisory_xact_lock_shared(log.lock_key) from log;
  select nextval('log_position') into drawn from log;

  insert into events (position, id, stream, version, type, data, labels, meta, recorded_at, schema_version)
  values (drawn, id, stream, raised, type, data, labels::text[], meta, clock_timestamp(), schema_version);
end
$$;
