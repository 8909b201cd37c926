create table :"agents" (
  agent_id     text collate "C" primary key,
  state        text        not null,
  started_at   timestamptz,
  stopped_at   timestamptz,
  config       jsonb,
  metadata     jsonb,
  created_at   timestamptz not null,
  updated_at   timestamptz not null,
  occurred_at  timestamptz,
  recorded_at  timestamptz not null
);
comment on table :"agents" is 'Every agent that was ever registered, as it is now.';
comment on column :"agents".occurred_at is 'When its last change happened by the clock of who reported it.';
comment on column :"agents".recorded_at is 'When its last change was recorded, by the database''s clock.';

create index on :"agents" (state);
create index on :"agents" (started_at);
