create table :"state_known" (
  branch   bigint not null,
  tier     text   collate "C" not null,
  key      text   collate "C" not null,
  version  bigint not null,
  known    jsonb  not null,
  primary key (branch, tier, key, version)
);
comment on table :"state_known" is 'Where a key was synchronised with another state: up to which version of which branch its history is known from there on, and what is known there.';

create table :"state_sync_events" (
  id                  uuid   not null,
  source_agent_id     text   collate "C" not null,
  source_branch       text   collate "C" not null,
  source_version      bigint not null,
  target_agent_id     text   collate "C" not null,
  target_branch       text   collate "C" not null,
  target_version      bigint,
  sync_type           text   not null,
  state_keys          text[] not null,
  conflicts_detected  integer not null,
  conflicts_resolved  integer not null,
  status              text   not null,
  failed              text,
  strategy            text   not null,
  duration_ms         integer not null,
  actor               text,
  reason              text,
  created_at          timestamptz not null,
  primary key (id, target_agent_id, target_branch, status)
);
comment on table :"state_sync_events" is 'What synchronisations have taken over, and what they have left: for each target one row of each, where there is something.';
comment on column :"state_sync_events".status is 'synced: the keys were taken over; conflicts: they were left with such; failed: nothing was done, because of the error that failed names.';
create index on :"state_sync_events" (target_agent_id, created_at);
create index on :"state_sync_events" (source_agent_id, created_at);
