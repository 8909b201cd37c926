create table :"alerts" (
  alert_id         text collate "C" primary key,
  id               bigint      not null,
  rule             text collate "C" not null,
  subject          text collate "C" not null,
  status           text        not null,
  severity         text collate "C" not null,
  kind             text        not null,
  value            float8,
  threshold        float8      not null,
  since            timestamptz not null,
  summary          text        not null,
  rule_version     bigint      not null,
  raised_at        timestamptz not null,
  cleared_at       timestamptz,
  cleared_why      text,
  cleared_value    float8,
  lasted_ms        bigint,
  acknowledged_at  timestamptz,
  acknowledged_by  text,
  note             text,
  recorded_at      timestamptz not null
);
comment on table :"alerts" is 'Every alert that was raised; id is the position of the event that raised it, and alert_id the id of that event.';
comment on column :"alerts".subject is 'Whom it concerns: an agent, a read model, or fleet.';
comment on column :"alerts".status is 'open or cleared.';
comment on column :"alerts".since is 'Since when its condition had been met, as far as that was known.';
comment on column :"alerts".rule_version is 'Of the rule by which it was raised.';
comment on column :"alerts".cleared_why is 'over, no_data, rule_changed, rule_disabled or rule_removed.';
comment on column :"alerts".lasted_ms is 'From when it was raised until it was cleared.';

create index on :"alerts" (id desc);
create index on :"alerts" (rule, id desc);
create index on :"alerts" (status, id desc);
create index on :"alerts" (subject, id desc);
create index on :"alerts" (rule, subject) where status = 'open';
