-- Projections: read models that are folds of the log, and how far each has come.

create table projections (
  name             text collate "C" primary key,
  version          integer not null,
  definition_hash  text    not null,
  generation       integer not null default 1,
  epoch            integer not null default 1,
  position         bigint  not null default 0,
  state            text    not null default 'running' check (state in ('running', 'stopped')),
  error            jsonb,
  created_at       timestamptz not null default clock_timestamp()
) with (fillfactor = 10);
comment on table projections is 'One row per read model: everything up to position is folded into its tables, which commit together with it.';
comment on column projections.definition_hash is 'The definition that fills the tables. Code with another one leaves them alone.';
comment on column projections.generation is 'The physical tables behind the views: <relation>__<generation>.';
comment on column projections.epoch is 'Grows when the tables are replaced; whoever holds an older one writes nothing.';
comment on column projections.error is 'What stopped it: the event''s position and type, and what its fold said.';
