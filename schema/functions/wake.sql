-- Tells the readers of this log to look. For writers in plain SQL, after their commit: readers look by themselves
-- every few seconds, and NOTIFY inside the writing transaction would serialise the commits of the whole server.
create or replace function wake()
returns void
language sql
volatile
set search_path from current
as $$
  select pg_notify(wake_channel(), (select last_value from log_position)::text)
$$;
