create table :"performance_metrics" (
  id           bigint primary key,
  agent_id     text collate "C" not null,
  metric_name  text collate "C" not null,
  value        numeric,
  unit         text,
  timestamp    timestamptz not null,
  metadata     jsonb,
  occurred_at  timestamptz,
  recorded_at  timestamptz not null
);
comment on table :"performance_metrics" is 'Every measurement; id is its position in the log.';
comment on column :"performance_metrics".timestamp is 'When it was taken by the agent''s clock, where it said so; else when it was recorded.';

create index on :"performance_metrics" (agent_id, metric_name, timestamp desc);
create index on :"performance_metrics" (timestamp desc);
create index on :"performance_metrics" (agent_id, timestamp desc, id desc);
create index on :"performance_metrics" (metric_name, timestamp desc, id desc);
