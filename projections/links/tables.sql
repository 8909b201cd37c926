create table :"state_links" (
  link        text   collate "C" primary key,
  hub         text   collate "C" not null,
  members     jsonb  not null,
  streams     text[] collate "C" not null,
  keys        jsonb  not null,
  tiers       jsonb  not null,
  strategy    text   not null,
  rules       jsonb  not null,
  priority    text   not null,
  status      text   not null,
  created_by  text,
  reason      text,
  created_at  timestamptz not null,
  changed_at  timestamptz not null
);
comment on table :"state_links" is 'Branches of agents'' states that share keys, each with one hub, and how they stand.';
comment on column :"state_links".streams is 'Of its members and of its hub.';

create index on :"state_links" using gin (streams) where status <> 'ended';
create index on :"state_links" (status, created_at);
