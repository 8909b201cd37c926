-- Appends the events of several requests in one round trip; each request is appended or refused as a whole.
-- Arrays in, arrays out. `heads` names the streams, each once, in sorted order; all others are in the order of the events:
--   request         which request the event belongs to: any number, the same for all events of one request
--   head            which of the heads the event goes to, from 1
--   expected        null: not checked · -1: the stream must exist · n: the stream must be at version n (0: must be new);
--                   compared with the stream's version before the batch, so a checked request comes first for its stream
--   patience        how long to wait for each lock, in ms; null: as long as the transaction would
--   verdicts        null when every event was appended; else for each event 'appended', 'repeated' (the same append
--                   is there already: its positions are returned), 'conflict' or 'duplicate' (an id is there with other content)
--   actuals         the version of each head before the batch
create or replace function append_batch(
  heads           text[],
  request         integer[],
  head            integer[],
  expected        bigint[],
  id              uuid[],
  type            text[],
  data            jsonb[],
  labels          text[],
  meta            jsonb[],
  schema_version  integer[],
  patience        integer,
  out positions   bigint[],
  out versions    bigint[],
  out verdicts    text[],
  out actuals     bigint[]
)
language plpgsql
volatile
security definer
set search_path from current
-- One plan for every size of table: a plan made on a new, unanalysed log must still be right at five million events.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  _streams       text[] := heads;
  _locked        text[];
  _telemetry     boolean[];
  _refused       boolean;
  _known         boolean;
  _drawn         bigint[];
  _now           timestamptz;
  _lock_timeout  text := current_setting('lock_timeout');
begin
  -- An event must not be visible before it is durable: a subscriber would have acted on what a crash takes back.
  if current_setting('synchronous_commit') = 'off' then
    perform set_config('synchronous_commit', 'local', true);
  end if;
  if patience is not null then
    perform set_config('lock_timeout', patience::text, true);
  end if;

  if looks_odd(type, labels, meta, schema_version) then
    perform check_batch(type, labels, meta, schema_version);
  end if;

  if (select count(*) from streams stream where stream.stream = any (heads)) < cardinality(heads) then
    perform make_heads(heads);
  end if;

  select array_agg(locked.stream), array_agg(locked.version), array_agg(locked.telemetry)
  into _locked, actuals, _telemetry
  from (
    select stream.stream, stream.version, stream.telemetry
    from streams stream
    where stream.stream = any (heads)
    order by stream.stream
    for update
  ) locked;

  if _locked <> heads or (1 <= all (head) and cardinality(heads) >= all (head)) is not true then
    raise exception 'heads must name each stream once, in sorted order, and head must number them from 1'
      using errcode = 'TM006', detail = jsonb_build_object('heads', heads), hint = 'Sort them by their bytes, without repeats.';
  end if;

  select
    array_agg(actuals[given.head] + given.nth_of_head order by given.nth),
    bool_or(given.expected >= 0 and given.expected <> actuals[given.head] or given.expected < 0 and actuals[given.head] = 0)
  into versions, _refused
  from (
    select event.head, event.expected, event.nth, row_number() over (partition by event.head order by event.nth) as nth_of_head
    from unnest(head, expected) with ordinality as event (head, expected, nth)
  ) given;

  -- What is durable keeps its id from telemetry too. The reverse would look into every partition for each durable event.
  _known := exists (select from events known where known.id = any (append_batch.id))
    or true = any (_telemetry) and exists (select from telemetry known where known.id = any (append_batch.id));

  if _known or _refused then
    select judged.verdicts, judged.positions, judged.versions
    into verdicts, positions, versions
    from judge_batch(heads, request, head, expected, id, type, data, labels, schema_version, actuals, _telemetry) judged;

    if not 'appended' = any (verdicts) then
      perform forget_empty_heads(heads);
      perform set_config('lock_timeout', _lock_timeout, true);
      return;
    end if;
  end if;

  update streams stream
  set version = raised.version
  from (
    select event.head, max(event.version) as version
    from log, unnest(head, versions, verdicts) as event (head, version, verdict)
    where coalesce(event.verdict, 'appended') = 'appended'
    group by event.head
  ) raised
  where stream.stream = _streams[raised.head];

  -- The lock and then the numbers come through this log's own table, so that both happen on the node that holds it.
  with held as materialized (
    select pg_advisory_xact_lock_shared(log.lock_key) from log
  ), drawn as materialized (
    select nextval('log_position') as position
    from held, generate_series(1, coalesce(cardinality(array_positions(verdicts, 'appended')), cardinality(id)))
  )
  select array_agg(drawn.position order by drawn.position) into _drawn from drawn;

  positions := case when verdicts is null then _drawn else merge_positions(verdicts, positions, _drawn) end;
  _now := clock_timestamp();

  if false = any (_telemetry) then
    insert into events (position, id, stream, version, type, data, labels, meta, recorded_at, schema_version)
    select event.position, event.id, _streams[event.head], event.version, event.type, event.data,
      event.labels::text[], event.meta, _now, event.schema_version
    from log, unnest(positions, id, head, versions, type, data, labels, meta, schema_version, verdicts)
      as event (position, id, head, version, type, data, labels, meta, schema_version, verdict)
    where not _telemetry[event.head] and coalesce(event.verdict, 'appended') = 'appended';
  end if;

  if true = any (_telemetry) then
    perform extend_telemetry(_drawn[cardinality(_drawn)]);

    insert into telemetry (position, id, stream, version, type, data, labels, meta, recorded_at, schema_version)
    select event.position, event.id, _streams[event.head], event.version, event.type, event.data,
      event.labels::text[], event.meta, _now, event.schema_version
    from log, unnest(positions, id, head, versions, type, data, labels, meta, schema_version, verdicts)
      as event (position, id, head, version, type, data, labels, meta, schema_version, verdict)
    where _telemetry[event.head] and coalesce(event.verdict, 'appended') = 'appended';
  end if;

  if verdicts is not null then
    perform forget_empty_heads(heads);
  end if;

  -- Not before the end: whoever waits for an id or for a partition holds its heads meanwhile.
  perform set_config('lock_timeout', _lock_timeout, true);
end
$$;

revoke execute on function append_batch from public;
