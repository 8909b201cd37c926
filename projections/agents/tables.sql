create table :"agents" (
  agent_id               text collate "C" primary key,
  name                   text,
  type                   text collate "C",
  state                  text collate "C" not null,
  capabilities           text[] collate "C" not null,
  heartbeat_interval_ms  integer,
  started_at             timestamptz,
  stopped_at             timestamptz,
  retired_at             timestamptz,
  config                 jsonb,
  metadata               jsonb,
  version                bigint      not null,
  created_at             timestamptz not null,
  updated_at             timestamptz not null,
  occurred_at            timestamptz,
  recorded_at            timestamptz not null
);
comment on table :"agents" is 'Every agent that was ever registered, as it is now.';
comment on column :"agents".state is 'What it says of itself, such as running; stopped or retired where it is that. How it is, is in agent_health.';
comment on column :"agents".heartbeat_interval_ms is 'How often it promises to beat; null where it does not say.';
comment on column :"agents".stopped_at is 'Since when it is stopped; of a retired one, too.';
comment on column :"agents".retired_at is 'Since when it takes no commands any more.';
comment on column :"agents".version is 'Of its stream: how far it is folded.';
comment on column :"agents".occurred_at is 'When its last change happened by the clock of who reported it.';
comment on column :"agents".recorded_at is 'When its last change was recorded, by the database''s clock.';

create index on :"agents" (state, agent_id);
create index on :"agents" (type, state, agent_id);
create index on :"agents" (type, agent_id);
create index on :"agents" (started_at);
create index on :"agents" (agent_id) where stopped_at is null;
create index on :"agents" using gin (capabilities);
create index on :"agents" using gin (
  (:"schema".search_document(agent_id || ' ' || coalesce(name, ''), coalesce(type, '') || ' ' || :"schema".joined(capabilities) || ' ' || coalesce(metadata::text, '')))
);
create index on :"agents" using gin ((:"schema".trigrams(agent_id || ' ' || coalesce(name, ''))));
