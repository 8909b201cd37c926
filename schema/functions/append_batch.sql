-- Appends the events of several requests in one round trip; each request is appended or refused as a whole.
-- Arrays in, arrays out, all in the order of the events:
--   request         which request the event belongs to: any number, the same for all events of one request
--   expected        null: not checked · -1: the stream must exist · n: the stream must be at version n (0: must be new);
--                   compared with the stream's version before the batch, so a checked request comes first for its stream
--   verdicts        null when every event was appended; else for each event 'appended', 'repeated' (the same append
--                   is there already: its positions are returned), 'conflict' or 'duplicate' (an id is there with other content)
--   patience        how long to wait for a lock, in ms; null: as long as the transaction would
--   actuals         the version of the event's stream before the batch
create or replace function append_batch(
  request         integer[],
  stream          text[],
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
  _now           timestamptz;
  _telemetry     boolean[];
  _refused       boolean;
  _known         boolean;
  _any_durable   boolean;
  _any_telemetry boolean;
  _lock_timeout  text := current_setting('lock_timeout');
begin
  perform keep_commits_durable();
  if patience is not null then
    perform set_config('lock_timeout', patience::text, true);
  end if;

  insert into streams (stream, version, telemetry)
  select given.stream, 0, coalesce(bool_or(kind.telemetry), false)
  from log, unnest(append_batch.stream) as given (stream)
  left join categories kind on kind.category = split_part(given.stream, '-', 1)
  where not exists (select from streams head where head.stream = given.stream)
  group by given.stream
  order by given.stream
  on conflict do nothing;

  perform from streams head where head.stream = any (append_batch.stream) order by head.stream for update;

  if patience is not null then
    perform set_config('lock_timeout', _lock_timeout, true);
  end if;

  select
    array_agg(numbered.actual order by numbered.nth),
    array_agg(numbered.version order by numbered.nth),
    array_agg(numbered.telemetry order by numbered.nth),
    bool_or(numbered.telemetry),
    not bool_and(numbered.telemetry),
    bool_or(numbered.expected >= 0 and numbered.expected <> numbered.actual or numbered.expected < 0 and numbered.actual = 0)
  into actuals, versions, _telemetry, _any_telemetry, _any_durable, _refused
  from (
    select
      given.nth,
      given.expected,
      head.telemetry,
      head.version as actual,
      head.version + row_number() over (partition by given.stream order by given.nth) as version
    from unnest(append_batch.stream, append_batch.expected) with ordinality as given (stream, expected, nth)
    join streams head on head.stream = given.stream
  ) numbered;

  _known := _any_durable and exists (select from unnest(append_batch.id) as given (id) join events known on known.id = given.id)
    or _any_telemetry and exists (select from unnest(append_batch.id) as given (id) join telemetry known on known.id = given.id);

  if _known or _refused then
    select judged.verdicts, judged.positions, judged.versions
    into verdicts, positions, versions
    from judge_batch(request, stream, expected, id, type, data, labels, schema_version, actuals, _telemetry) judged;

    if not 'appended' = any (verdicts) then
      perform forget_empty_heads(stream);
      return;
    end if;
  end if;

  update streams head
  set version = raised.version
  from (
    select given.stream, max(given.version) as version
    from log, unnest(append_batch.stream, versions, verdicts) as given (stream, version, verdict)
    where coalesce(given.verdict, 'appended') = 'appended'
    group by given.stream
  ) raised
  where head.stream = raised.stream;

  positions := draw_positions(verdicts, positions, cardinality(id));
  _now := clock_timestamp();

  if _any_durable then
    insert into events (position, id, stream, version, type, data, labels, meta, recorded_at, schema_version)
    select given.position, given.id, given.stream, given.version, given.type, given.data,
      given.labels::text[], given.meta, _now, given.schema_version
    from log, unnest(positions, id, stream, versions, type, data, labels, meta, schema_version, _telemetry, verdicts)
      as given (position, id, stream, version, type, data, labels, meta, schema_version, telemetry, verdict)
    where not given.telemetry and coalesce(given.verdict, 'appended') = 'appended';
  end if;

  if _any_telemetry then
    perform extend_telemetry(positions[cardinality(positions)]);

    insert into telemetry (position, id, stream, version, type, data, labels, meta, recorded_at, schema_version)
    select given.position, given.id, given.stream, given.version, given.type, given.data,
      given.labels::text[], given.meta, _now, given.schema_version
    from log, unnest(positions, id, stream, versions, type, data, labels, meta, schema_version, _telemetry, verdicts)
      as given (position, id, stream, version, type, data, labels, meta, schema_version, telemetry, verdict)
    where given.telemetry and coalesce(given.verdict, 'appended') = 'appended';
  end if;

  if verdicts is not null then
    perform forget_empty_heads(stream);
  end if;
end
$$;
