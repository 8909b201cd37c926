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
begin
  update streams head
  set version = head.version + 1
  where head.stream = append_one.stream
    and not head.telemetry
    and (expected is null or expected = head.version or expected = -1 and head.version > 0)
  returning head.version into raised;

  if not found then
    return;
  end if;

  -- In a statement of its own: what another append with this id committed while we waited for the head is seen here.
  if exists (select from events known where known.id = append_one.id) then
    update streams head set version = head.version - 1 where head.stream = append_one.stream;
    return;
  end if;

  select nextval('log_position') into drawn
  from (select pg_advisory_xact_lock_shared(log.lock_key) from log offset 0) held;

  insert into events (position, id, stream, version, type, data, labels, meta, recorded_at, schema_version)
  values (drawn, id, stream, raised, type, data, labels::text[], meta, clock_timestamp(), schema_version);
end
$$;
