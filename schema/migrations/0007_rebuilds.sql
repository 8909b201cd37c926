-- Rebuilds: the generations of a read model beside the one that its views show.

create table generations (
  projection       text collate "C" not null,
  generation       integer not null,
  version          integer not null,
  definition_hash  text    not null,
  relations        text[]  not null,
  state            text    not null check (state in ('building', 'live', 'kept')),
  position         bigint  not null default 0,
  owner            uuid,
  began_at         timestamptz not null default clock_timestamp(),
  primary key (projection, generation)
);
comment on table generations is 'The physical tables of read models: those being built, those that the views show, and those kept for a way back.';
