-- The log: one append-only, totally ordered sequence of events, held in one schema.
-- Every key, lock and sequence belongs to that schema, so that a log can be placed on a node as a whole.

create table log (
  one         boolean primary key default true check (one),
  log_id      uuid    not null,
  lock_key    bigint  not null,
  epoch       integer not null default 1,
  created_at  timestamptz not null default clock_timestamp()
);
comment on table log is 'One row: who this log is, and the key of the advisory lock that every insert holds.';

insert into log (log_id, lock_key)
select fresh.log_id, hashtextextended(fresh.log_id::text, 0)
from (select gen_random_uuid() as log_id) fresh;

create table epochs (
  epoch              integer primary key,
  after_position     bigint  not null,
  system_identifier  bigint  not null,
  timeline           bigint  not null,
  database_oid       oid     not null,
  log_oid            oid     not null,
  began_at           timestamptz not null default clock_timestamp()
);
comment on table epochs is 'A log enters a new epoch on a restore or a fail-over. Positions up to after_position mean the same before and after.';

-- CACHE 1 is part of the ordering rules: a session that caches numbers draws them before it holds the lock.
create sequence log_position as bigint increment 1 cache 1 no cycle;

create table settled (
  one          boolean primary key default true check (one),
  position     bigint not null default 0,
  recorded_at  timestamptz not null default clock_timestamp()
) with (fillfactor = 10);
comment on table settled is 'Where the log was known to be settled when somebody last wrote it down. It only grows.';
insert into settled default values;

create table categories (
  category   text collate "C" primary key,
  telemetry  boolean not null
);
comment on table categories is 'Categories whose events are telemetry: kept in range partitions, dropped by retention. All others are durable.';

create table streams (
  stream     text collate "C" primary key,
  version    bigint  not null,
  telemetry  boolean not null
) with (fillfactor = 50);
comment on table streams is 'The head of every stream. Its row lock orders the appends to that stream.';

create table events (
  position        bigint primary key default nextval('log_position'),
  id              uuid        not null unique,
  stream          text        collate "C" not null,
  version         bigint      not null,
  type            text        collate "C" not null,
  data            jsonb       not null,
  labels          text[]      collate "C" not null default '{}',
  meta            jsonb       not null default '{}',
  recorded_at     timestamptz not null default clock_timestamp(),
  schema_version  integer     not null default 1,
  unique (stream, version)
);
comment on table events is 'Durable events. Never updated, never deleted.';

create table telemetry (
  position        bigint primary key default nextval('log_position'),
  id              uuid        not null,
  stream          text        collate "C" not null,
  version         bigint      not null,
  type            text        collate "C" not null,
  data            jsonb       not null,
  labels          text[]      collate "C" not null default '{}',
  meta            jsonb       not null default '{}',
  recorded_at     timestamptz not null default clock_timestamp(),
  schema_version  integer     not null default 1
) partition by range (position);
comment on table telemetry is 'Telemetry events, in partitions by position, so that retention drops whole partitions.';

create index telemetry_id_idx on telemetry (id);
create index telemetry_stream_version_idx on telemetry (stream, version);

create table telemetry_partitions (
  up_to  bigint primary key,
  name   text not null unique
);
comment on table telemetry_partitions is 'The telemetry partitions that exist; each holds the positions below up_to and not below the previous one.';

create view log_events as
select position, id, stream, version, type, data, labels, meta, recorded_at, schema_version from events
union all
select position, id, stream, version, type, data, labels, meta, recorded_at, schema_version from telemetry;
comment on view log_events is 'Both classes of events as one log. Rows above the settled position may still be joined by earlier ones.';

create view event_rows as
select position, id, stream, version, type, data, nullif(labels, '{}') as labels, nullif(meta, '{}') as meta,
  (extract(epoch from recorded_at) * 1000)::float8 as recorded_ms, schema_version
from log_events;
comment on view event_rows is 'Events as the library reads them: what is empty as null and times as milliseconds, which a client parses faster.';

-- One row each, for ever: a planner that knows it puts them first.
analyze log;
analyze settled;
