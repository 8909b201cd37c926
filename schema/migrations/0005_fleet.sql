-- The fleet: the engines that share the work on this log, and which of them folds which read model.

create table engines (
  engine       uuid primary key,
  application  text        not null,
  host         text        not null,
  pid          integer     not null,
  process      text,
  began_at     timestamptz not null default clock_timestamp(),
  alive_until  timestamptz not null
) with (fillfactor = 10);
comment on table engines is 'The engines that own work. What belongs to an engine that is not here, or not alive any more by this clock, is free.';
comment on column engines.process is 'Which process of which machine, where that can be told: others on the machine see that it is gone before its lease ends.';

alter table projections add column owner uuid;
comment on column projections.owner is 'The engine that folds it. Only the owner writes, and only under the epoch in which it became that.';
comment on column projections.epoch is 'Grows when it changes hands and when its tables are replaced; whoever holds an older one writes nothing.';
