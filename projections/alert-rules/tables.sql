create table :"alert_rules" (
  rule         text collate "C" primary key,
  version      bigint      not null,
  kind         text collate "C" not null,
  condition    jsonb       not null,
  severity     text        not null,
  is_enabled   boolean     not null,
  description  text,
  set_by       text,
  reason       text,
  created_at   timestamptz not null,
  recorded_at  timestamptz not null
);
comment on table :"alert_rules" is 'The rules by which alerts are raised and cleared, as they are now.';
comment on column :"alert_rules".version is 'Of its stream: grows with every change.';
comment on column :"alert_rules".kind is 'metric, missed_beats, error_rate, system_event or projection_lag.';
comment on column :"alert_rules".condition is 'When an alert is raised, with nothing left out.';
comment on column :"alert_rules".created_at is 'When it was first set since it was last removed.';
comment on column :"alert_rules".recorded_at is 'When it was last set.';
