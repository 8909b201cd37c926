create table :"system_events" (
  id            bigint primary key,
  event_type    text collate "C" not null,
  event_data    jsonb,
  agent_id      text collate "C",
  timestamp     timestamptz not null,
  severity      text collate "C" not null default 'INFO',
  occurred_at   timestamptz,
  recorded_at   timestamptz not null,
  is_telemetry  boolean     not null default false
);
comment on table :"system_events" is 'What was logged of the fleet as a whole and of its agents; id is its position in the log.';
comment on column :"system_events".timestamp is 'When it happened by the clock of who logged it, where that was said; else when it was recorded.';
comment on column :"system_events".is_telemetry is 'Whether retention drops it one day; all else is kept for ever.';

create index on :"system_events" (id) where is_telemetry;
create index on :"system_events" (severity, timestamp desc, id desc);
create index on :"system_events" (event_type, severity, timestamp desc, id desc);
create index on :"system_events" (agent_id, severity, timestamp desc, id desc) where agent_id is not null;
create index on :"system_events" (agent_id, event_type, severity, timestamp desc, id desc) where agent_id is not null;
create index on :"system_events" using gin ((:"schema".search_document(event_type, event_data::text)));
