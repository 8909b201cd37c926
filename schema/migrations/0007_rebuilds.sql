-- Rebuilds: the generations of a read model beside the one that its views show.

create table generations (
  projection       text collate "C" not null,
  generation       integer not null,
  version          integer not null,
  definition_hash  text    not null,
  relations        text[]  not null,
  state            text    not null check (state in ('building', 'live', 'kept')),
  position         bigint  not null default 0,
  build            uuid,
  owner            uuid,
  events           bigint  not null default 0,
  target           bigint  not null default 0,
  began_at         timestamptz not null default clock_timestamp(),
  changed_at       timestamptz not null default clock_timestamp(),
  primary key (projection, generation)
) with (fillfactor = 50);
comment on table generations is 'The physical tables of read models: those being built, those that the views show, and those kept for a way back.';
comment on column generations.relations is 'The plain names of its tables; empty where the generation is older than this table.';
comment on column generations.position is 'Of a kept one: everything up to here is folded into it. Of one being built: how far it was when that was last written down.';
comment on column generations.build is 'The try that makes it: whoever finds another one here writes nothing.';
comment on column generations.owner is 'The engine that builds it. What an engine that is gone left unfinished is dropped by the next rebuild.';
comment on column generations.changed_at is 'When it became what it is, or when its progress was last written down.';

insert into generations (projection, generation, version, definition_hash, relations, state, position)
select name, generation, version, definition_hash, '{}', 'live', position
from projections;
