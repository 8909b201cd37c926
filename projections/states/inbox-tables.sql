create table :"state_sync_conflicts" (
  id               uuid   primary key,
  source_agent_id  text   collate "C" not null,
  source_branch    text   collate "C" not null,
  target_agent_id  text   collate "C" not null,
  target_branch    text   collate "C" not null,
  sync             uuid   not null,
  path             text   collate "C" not null,
  kind             text   not null,
  keys             text[] not null,
  conflict         jsonb  not null,
  digest           text   not null,
  rules            jsonb  not null,
  status           text   not null default 'open',
  opened_at        timestamptz not null,
  seen_at          timestamptz not null,
  times            integer not null default 1,
  assignee         text   collate "C",
  resolution       jsonb,
  resolved_by      text,
  reason           text,
  resolved_at      timestamptz
);
comment on table :"state_sync_conflicts" is 'The conflicts of synchronisations: of a path between two branches, one, however often it is found.';
comment on column :"state_sync_conflicts".keys is 'The keys that are left because of it.';
comment on column :"state_sync_conflicts".digest is 'Of what it is about: of another one it is another conflict, of which nobody has decided anything.';
comment on column :"state_sync_conflicts".status is 'open; decided: somebody has, and it is not in the target yet; resolved: the target has all of the source, or there is none any more; expired.';
create index on :"state_sync_conflicts" (target_agent_id, source_agent_id) where status <> 'resolved';
create index on :"state_sync_conflicts" (opened_at) where status = 'open';
create index on :"state_sync_conflicts" (source_agent_id, opened_at);
create index on :"state_sync_conflicts" (target_agent_id, opened_at);
