-- Who watches which states, and from where. It says how things are and not how they came to be, so it is kept beside the log, and each
-- engine tells it anew where it is lost.
create table watches (
  engine    uuid        not null,
  watch     integer     not null,
  agent     text        not null,
  branch    text        not null,
  paths     text[]      not null,
  name      text,
  began_at  timestamptz not null,
  primary key (engine, watch)
);
create index watches_of_agent on watches (agent);
comment on table watches is 'Which engine watches which branches of states. What an engine watches that is not alive any more by this clock does not count.';
comment on column watches.watch is 'Which one of its engine''s.';
comment on column watches.name is 'Of the durable subscription by which it keeps its place.';
