-- The channel on which the readers of this log listen.
create or replace function wake_channel()
returns text
language sql
stable
set search_path from current
as $$
  select 'tidemark_' || replace(log_id::text, '-', '') from log
$$;
