-- What programs keep at hand for a while, and can work out again: no history, so it is kept beside the log, and not written ahead. After a crash of the
-- server it is empty, and on a standby there is none.

create unlogged table cache_entries (
  namespace   text    collate "C" not null,
  key         text    collate "C" not null,
  value       json    not null,
  tags        text[]  collate "C" not null default '{}',
  bytes       integer not null generated always as (octet_length(value::text)) stored,
  set_at      timestamptz not null default now(),
  expires_at  timestamptz not null,
  primary key (namespace, key)
);
comment on table cache_entries is 'The cache. What is over by this clock counts no more, whether it was swept away or not.';
create index cache_entries_tags_idx on cache_entries using gin (tags) where tags <> '{}';
create index cache_entries_expires_idx on cache_entries (expires_at, namespace) include (bytes);

create unlogged table cache_reads (
  namespace  text    collate "C" primary key,
  hits       bigint  not null,
  misses     bigint  not null
) with (fillfactor = 50);
comment on table cache_reads is 'How often the cache had what was asked for, and how often not, as far as the engines have told.';
