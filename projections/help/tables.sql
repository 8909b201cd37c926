create table :"help_requests" (
  id           bigint primary key,
  request_id   text    collate "C" not null unique,
  user_id      text    collate "C" not null,
  content      text    not null,
  context      jsonb,
  status       text    not null,
  priority     text    not null,
  answers      integer not null,
  created_at   timestamptz not null,
  updated_at   timestamptz not null,
  closed_at    timestamptz,
  occurred_at  timestamptz,
  recorded_at  timestamptz not null
);
comment on table :"help_requests" is 'Every request for help as it is now; id is the position of its first event in the log.';
comment on column :"help_requests".status is 'pending, in_progress, answered or closed.';
comment on column :"help_requests".occurred_at is 'When its last change happened by the clock of who reported it.';

create index on :"help_requests" (status, id desc);
create index on :"help_requests" (user_id, id desc);
create index on :"help_requests" (user_id, status, id desc);
create index on :"help_requests" (priority, status, id desc);
create index on :"help_requests" (priority, id desc);
create index on :"help_requests" (created_at desc);
create index on :"help_requests" using gin ((:"schema".search_document(null, content)));

create table :"help_responses" (
  id                bigint primary key,
  request_id        text    collate "C" not null,
  response_id       uuid    not null unique,
  content           text    not null,
  confidence_score  numeric,
  sources           jsonb,
  generated_at      timestamptz not null,
  agent_id          text    collate "C",
  occurred_at       timestamptz,
  recorded_at       timestamptz not null
);
comment on table :"help_responses" is 'Every answer to a request for help; id is its position in the log.';
comment on column :"help_responses".generated_at is 'When it was given by the clock of who gave it, where it said so; else when it was recorded.';

create index on :"help_responses" (request_id, id);
create index on :"help_responses" (confidence_score desc);
create index on :"help_responses" using gin ((:"schema".search_document(null, content)));
