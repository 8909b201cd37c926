create table :"system_state" (
  stream       text collate "C" primary key,
  id           bigint      not null,
  key          text collate "C" not null,
  value        jsonb,
  version      bigint      not null,
  created_at   timestamptz not null,
  updated_at   timestamptz not null,
  updated_by   text,
  reason       text,
  occurred_at  timestamptz,
  recorded_at  timestamptz not null
);
comment on table :"system_state" is 'The global state of the fleet, one row per key that has a value.';
comment on column :"system_state".stream is 'The stream that holds its history.';
comment on column :"system_state".id is 'The position of the event that made it.';
comment on column :"system_state".version is 'Of its stream: grows with every change.';
comment on column :"system_state".occurred_at is 'When its last change happened by the clock of who reported it.';
comment on column :"system_state".recorded_at is 'When its last change was recorded, by the database''s clock.';

create unique index on :"system_state" (key);
create index on :"system_state" using gin ((:"schema".search_document(key, value::text)));
