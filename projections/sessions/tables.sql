create table :"session_records" (
  session_id   text   collate "C" primary key,
  id           bigint not null,
  version      bigint not null,
  user_id      text   collate "C",
  agent_id     text   collate "C",
  data         jsonb  not null,
  status       text   not null,
  ttl_ms       bigint not null,
  created_at   timestamptz not null,
  touched_at   timestamptz not null,
  expires_at   timestamptz not null,
  ended_at     timestamptz,
  occurred_at  timestamptz,
  recorded_at  timestamptz not null
);
comment on table :"session_records" is 'Every session of a user or an agent, as events tell it; id is the position of its first event in the log. One whose time is over may still be active here: the view sessions knows.';
comment on column :"session_records".version is 'Of its stream, at the last event that counted.';
comment on column :"session_records".status is 'active, ended or expired.';
comment on column :"session_records".touched_at is 'When the last sign of life was recorded, by the database''s clock.';
comment on column :"session_records".occurred_at is 'When its last change happened by the clock of who reported it.';

create index on :"session_records" (status, id desc);
create index on :"session_records" (user_id, status, id desc) where user_id is not null;
create index on :"session_records" (agent_id, status, id desc) where agent_id is not null;
create index on :"session_records" (expires_at, session_id) where status = 'active';
