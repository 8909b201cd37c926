create table :"agent_heartbeats" (
  id           bigint primary key,
  agent_id     text collate "C" not null,
  timestamp    timestamptz not null,
  state        text,
  error_count  integer     not null default 0,
  metrics      jsonb,
  created_at   timestamptz not null,
  occurred_at  timestamptz,
  recorded_at  timestamptz not null
);
comment on table :"agent_heartbeats" is 'Every heartbeat; id is its position in the log.';
comment on column :"agent_heartbeats".timestamp is 'When it happened by the agent''s clock, where it said so; else when it was recorded.';

create index on :"agent_heartbeats" (agent_id, timestamp desc);
create index on :"agent_heartbeats" (timestamp desc);
