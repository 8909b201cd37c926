create table :"agent_communications" (
  id                bigint primary key,
  message_id        uuid    not null unique,
  from_agent        text    collate "C" not null,
  to_agent          text    collate "C",
  message_type      text    collate "C" not null,
  content           jsonb,
  priority          text    not null,
  reply_to          uuid,
  timestamp         timestamptz not null,
  status            text    not null,
  acknowledgements  integer not null,
  occurred_at       timestamptz,
  recorded_at       timestamptz not null
);
comment on table :"agent_communications" is 'Every message between agents; id is its position in the log.';
comment on column :"agent_communications".to_agent is 'Null where it went to all.';
comment on column :"agent_communications".status is 'sent, or acknowledged by the agent it went to; one to all stays sent, and acknowledgements counts.';
comment on column :"agent_communications".acknowledgements is 'How many agents have acknowledged it, not counting who sent it to all.';

create index on :"agent_communications" (to_agent, timestamp desc);
create index on :"agent_communications" (to_agent, id desc);
create index on :"agent_communications" (to_agent, id desc) where status = 'sent';
create index on :"agent_communications" (id desc) where to_agent is null;
create index on :"agent_communications" (from_agent, id desc);
create index on :"agent_communications" (message_type, id desc);
create index on :"agent_communications" (from_agent, message_type, id desc);
create index on :"agent_communications" (to_agent, message_type, id desc);
create index on :"agent_communications" (reply_to, id desc) where reply_to is not null;

create table :"agent_acknowledgements" (
  agent_id         text   collate "C" not null,
  id               bigint not null,
  acknowledged_at  timestamptz not null,
  primary key (agent_id, id)
);
comment on table :"agent_acknowledgements" is 'Who has acknowledged which message, by its position; who sent one to all knows it.';

create index on :"agent_acknowledgements" (id, acknowledged_at);

create table :"agent_inboxes" (
  agent_id             text   collate "C" primary key,
  received             bigint not null,
  acknowledged         bigint not null,
  acknowledged_to_all  bigint not null
);
comment on table :"agent_inboxes" is 'How many messages went to an agent alone, and how many of these and of those to all it has acknowledged; what went to all is under the name of nobody, an empty one.';
