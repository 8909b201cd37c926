-- Durable subscriptions: consumers with a name, whose place in the log outlives their processes.

create table subscriptions (
  name              text collate "C" primary key,
  filter            jsonb       not null,
  partitions        integer     not null,
  state             text        not null default 'running' check (state in ('running', 'paused')),
  next_partitions   integer,
  next_at           bigint,
  created_at        timestamptz not null default clock_timestamp()
);
comment on table subscriptions is 'One row per durable subscription: what it wants, and into how many parts its streams are dealt.';
comment on column subscriptions.next_at is 'Where every cursor stops, until all are there and the streams are dealt anew into next_partitions.';

create table subscription_members (
  subscription  text collate "C" not null,
  engine        uuid not null,
  joined_at     timestamptz not null default clock_timestamp(),
  primary key (subscription, engine)
);
comment on table subscription_members is 'Which engines have a handler for a subscription; those that are alive share its partitions.';

create table subscription_cursors (
  subscription  text collate "C" not null,
  partition     integer not null,
  position      bigint  not null,
  epoch         integer not null default 1,
  clean_epoch   integer not null default 1,
  owner         uuid,
  state         text    not null default 'running' check (state in ('running', 'stopped')),
  error         jsonb,
  begun         bigint,
  moved_at      timestamptz not null default clock_timestamp(),
  primary key (subscription, partition)
) with (fillfactor = 10);
comment on table subscription_cursors is 'Everything of a partition up to position is handled, or is among the held events.';
comment on column subscription_cursors.epoch is 'Grows when it changes hands and when it is moved by hand; whoever holds an older one writes nothing.';

comment on column subscription_cursors.clean_epoch is 'The last epoch that ended in good order: its owner left, or somebody moved the cursor by hand. Where that is not the epoch before the present one, its owner ended without a word.';
comment on column subscription_cursors.begun is 'The event that an owner who is careful, because the one before ended without a word, is about to hand over.';

create table held_events (
  subscription  text collate "C" not null,
  position      bigint  not null,
  partition     integer not null,
  stream        text collate "C" not null,
  type          text collate "C" not null,
  state         text    not null check (state in ('retrying', 'parked', 'waiting', 'dropped')),
  attempts      integer not null default 0,
  errors        jsonb   not null default '[]',
  due_at        timestamptz,
  held_at       timestamptz not null default clock_timestamp(),
  primary key (subscription, position)
);
comment on table held_events is 'Events that a subscription could not handle yet: to be tried again, parked, or waiting behind an earlier one of their stream. Parked ones are the verbs'' to change, all others their owner''s; those that were dropped are gone once it has seen that.';
create index held_events_stream_idx on held_events (subscription, partition, stream, position);
create index held_events_ahead_idx on held_events (subscription, partition, stream) where state <> 'waiting';
create index held_events_due_idx on held_events (subscription, partition, due_at) where due_at is not null;
