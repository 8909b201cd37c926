-- Synchronisations that are still to be done: what links have to bring, and what failed and is tried again.

create table sync_work (
  work           uuid        primary key default gen_random_uuid(),
  link           uuid,
  source         text        collate "C" not null,
  target         text        collate "C" not null,
  options        jsonb,
  priority       integer     not null,
  version        integer     not null default 1,
  state          text        not null default 'waiting' check (state in ('waiting', 'held', 'parked')),
  attempts       integer     not null default 0,
  failure        jsonb,
  queued_at      timestamptz not null default clock_timestamp(),
  due_at         timestamptz not null default clock_timestamp(),
  claimed_until  timestamptz
) with (fillfactor = 50);
comment on table sync_work is 'What is to be brought from one branch into another. It says that there is something, not what: that is found out when it is done, and doing it twice does it once.';
comment on column sync_work.options is 'How, where that is of no link.';
comment on column sync_work.version is 'Grows when there is more to bring: whoever is at it then does it again.';
comment on column sync_work.state is 'waiting: until it is due; held: its link is paused; parked: it failed too often, or cannot be done as things are.';
create unique index sync_work_link_idx on sync_work (link, source, target) where link is not null;
create index sync_work_due_idx on sync_work (due_at) where state = 'waiting';
create index sync_work_parked_idx on sync_work (queued_at) where state = 'parked';

create table sync_breakers (
  target      text        collate "C" primary key,
  failures    integer     not null,
  open_until  timestamptz,
  failure     jsonb       not null
);
comment on table sync_breakers is 'Branches that could not be written again and again: nothing is brought into one until its time has come, and then one thing, to see whether it can.';
