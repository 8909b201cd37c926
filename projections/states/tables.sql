create table :"state_branches" (
  branch          bigint primary key,
  agent           text   collate "C" not null,
  name            text   collate "C" not null,
  stream          text   collate "C" not null,
  born            bigint not null,
  parent          bigint,
  parent_version  bigint,
  lineage         bigint[] not null,
  lineage_up_to   bigint[] not null,
  version         bigint not null,
  position        bigint not null,
  hash            bytea  not null,
  faults          jsonb  not null default '[]',
  agent_type      text,
  description     text,
  session         text,
  session_ends_at timestamptz,
  created_at      timestamptz not null,
  changed_at      timestamptz not null,
  deleted_at      timestamptz
);
comment on table :"state_branches" is 'The branches of agents'' states, each known by the position of the event that began it, as they are now.';
comment on column :"state_branches".born is 'The version of that event in the stream: 1, unless the name was given before.';
comment on column :"state_branches".lineage is 'Itself, its parent, the parent of that, …; a key that a branch has not touched is the next one''s, as it was at lineage_up_to.';
comment on column :"state_branches".faults is 'From which version on the log and its hashes disagree, and by which that was repaired: [{version, position, detail, good, repaired}]. A branch that begins with a damaged version of another is damaged from its own beginning on.';
create index on :"state_branches" (stream, branch);
create index on :"state_branches" (agent, name);
create index on :"state_branches" (parent, parent_version) where parent is not null;
create index on :"state_branches" (session_ends_at) where session_ends_at is not null;

create table :"state_sessions" (
  branch   bigint not null,
  version  bigint not null,
  session  text,
  ends_at  timestamptz,
  primary key (branch, version)
);
comment on table :"state_sessions" is 'From which versions on a branch has a session, or none; up to the first of them it has none.';

create table :"state_keys" (
  branch       bigint not null,
  tier         text   collate "C" not null,
  key          text   collate "C" not null,
  version      bigint not null,
  hash         bytea,
  is_absent    boolean not null,
  value        jsonb,
  bytes        integer not null,
  patches      integer not null,
  patch_bytes  integer not null,
  primary key (branch, tier, key)
);
comment on table :"state_keys" is 'The keys that a branch itself has changed, as they are now; those that it removed are absent.';
comment on column :"state_keys".value is 'Kept here up to 8192 bytes: a longer one is its last anchor with the patches since, so that it is not written anew for every change.';
create index on :"state_keys" using gin ((:"schema".state_entry(tier, key, value)) jsonb_path_ops) where bytes <= 8192;
create index on :"state_keys" (tier, key) where bytes > 8192;
-- What an agent works with by itself, and its sessions, are for nobody to search; of the rest, what is kept here.
create index on :"state_keys" using gin ((:"schema".search_document(key, value::text))) where tier in ('shared', 'persistent') and value is not null;
comment on column :"state_keys".hash is 'What the key adds to the hash of the state; null where it is removed, or the agent''s secret is gone.';
comment on column :"state_keys".patches is 'How many patches, and how many bytes of them, lie between its last anchor and now.';

create table :"state_key_versions" (
  branch   bigint not null,
  tier     text   collate "C" not null,
  key      text   collate "C" not null,
  version  bigint not null,
  hash     bytea,
  is_absent boolean not null,
  value    jsonb,
  primary key (branch, tier, key, version)
);
comment on table :"state_key_versions" is 'At which versions a branch changed which key. With a value, it is an anchor: later versions are patches on that.';
-- Of an expression, so that only a question for the keys of versions uses it: without statistics, as in tables that a rebuild fills, the
-- planner would look one key up by it among all that its event changed.
create index on :"state_key_versions" (branch, (version + 0));

create table :"state_points" (
  branch   bigint not null,
  version  bigint not null,
  known    jsonb  not null,
  primary key (branch, version)
);
comment on table :"state_points" is 'Where histories meet, the beginnings of branches and their merges: up to which version of which other branch is known from there on.';

create table :"state_tags" (
  agent       text   collate "C" not null,
  tag         text   collate "C" not null,
  branch      bigint not null,
  name        text   collate "C" not null,
  version     bigint not null,
  commit      uuid,
  tagged_by   text,
  tagged_at   timestamptz not null,
  primary key (agent, tag)
);
comment on table :"state_tags" is 'The tags of agents'' states: a name for a version of a branch.';

create table :"state_checkpoints" (
  id                uuid not null,
  agent_id          text   collate "C" not null,
  branch            bigint not null,
  branch_name       text   collate "C" not null,
  version           bigint not null,
  state_hash        text   not null,
  checkpoint_type   text   not null,
  description       text,
  metadata          jsonb  not null default '{}',
  retention_policy  text   not null,
  expires_at        timestamptz,
  created_by        text,
  created_at        timestamptz not null,
  dropped_at        timestamptz,
  dropped_because   text,
  primary key (id, agent_id, branch)
);
comment on table :"state_checkpoints" is 'Named restore points: where a branch was. Those of several agents share an id.';
create index on :"state_checkpoints" (agent_id);
create index on :"state_checkpoints" (expires_at) where expires_at is not null and dropped_at is null;

create table :"state_merges" (
  id              uuid primary key,
  agent           text   collate "C" not null,
  source          bigint not null,
  source_name     text   collate "C" not null,
  source_version  bigint not null,
  target          bigint not null,
  target_name     text   collate "C" not null,
  target_version  bigint not null,
  mode            text   not null,
  strategy        text   not null,
  status          text   not null,
  merged_version  bigint,
  author          text,
  reason          text,
  opened_at       timestamptz not null,
  ended_at        timestamptz
);
comment on table :"state_merges" is 'Merges of branches: pending where a conflict is open.';
create index on :"state_merges" (agent, status);

create table :"state_conflicts" (
  id           uuid   primary key,
  merge        uuid   not null,
  path         text   collate "C" not null,
  kind         text   not null,
  conflict     jsonb  not null,
  resolution   jsonb,
  resolved_by  text,
  reason       text,
  resolved_at  timestamptz,
  assignee     text   collate "C",
  expired_at   timestamptz
);
create index on :"state_conflicts" (merge);
comment on column :"state_conflicts".id is 'Made of the merge and the path, which may be too long for an index.';
comment on table :"state_conflicts" is 'The conflicts of merges: base, ours and theirs are absent from conflict where there was nothing.';
