-- Tells the readers of this log to look. For writers in plain SQL, after their commit: readers look by themselves
-- every few seconds, and NOTIFY inside the writing transaction would serialise the commits of the whole server.
-- Says how far the log can be seen, not how far positions are drawn: who hears it takes all up to there as told.
create or replace function wake()
returns void
language sql
volatile
set search_path from current
as $$
  select pg_notify(wake_channel(), (select coalesce(max(position), 0) from log_events)::text)
$$;
