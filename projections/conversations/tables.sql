create table :"llm_conversations" (
  id               bigint primary key,
  conversation_id  text collate "C" not null,
  agent_id         text collate "C",
  prompt           text not null,
  response         text,
  model            text collate "C",
  provider         text,
  prompt_tokens    integer,
  response_tokens  integer,
  tokens_used      bigint,
  cost             numeric,
  duration_ms      integer,
  timestamp        timestamptz not null,
  metadata         jsonb,
  occurred_at      timestamptz,
  recorded_at      timestamptz not null
);
comment on table :"llm_conversations" is 'Every exchange with a language model; id is its position in the log.';
comment on column :"llm_conversations".timestamp is 'When it was, by the agent''s clock, where it said so; else when it was recorded.';

create index on :"llm_conversations" (agent_id, timestamp desc, id desc);
create index on :"llm_conversations" (agent_id, model, timestamp desc, id desc);
create index on :"llm_conversations" (model, timestamp desc, id desc);
create index on :"llm_conversations" (timestamp desc, id desc);
create index on :"llm_conversations" (conversation_id, id);
create index on :"llm_conversations" using gin ((:"schema".search_document(null, prompt || ' ' || coalesce(response, ''))));

create table :"llm_totals" (
  dimension        text    collate "C" not null,
  name             text    collate "C" not null,
  day              date    not null,
  exchanges        bigint  not null,
  prompt_tokens    numeric not null,
  response_tokens  numeric not null,
  tokens_used      numeric not null,
  cost             numeric not null,
  duration_ms      numeric not null,
  primary key (dimension, day, name)
);
comment on table :"llm_totals" is 'What exchanges with language models sum up to, by agent, by model, and of all (dimension day), each day in UTC; the day -infinity is that of all days.';
comment on column :"llm_totals".name is 'The agent or the model; empty where it was not said, and for the dimension day.';
