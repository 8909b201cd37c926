-- The columns of the log's events table, without its indexes, checks and triggers.
create sequence bare_position;

create table bare_events (
  position        bigint      not null default nextval('bare_position'),
  id              uuid        not null,
  stream          text        collate "C" not null,
  version         bigint      not null,
  type            text        collate "C" not null,
  data            jsonb       not null,
  labels          text[]      collate "C" not null default '{}',
  meta            jsonb       not null default '{}',
  recorded_at     timestamptz not null default clock_timestamp(),
  schema_version  integer     not null default 1
);
