-- Where the log was settled when it was last written down; the value belongs to the snapshot of the query around it,
-- so `where position <= settled_position()` is right in any isolation level and on a standby.
create or replace function settled_position()
returns bigint
language sql
stable
set search_path from current
as $$
  select position from settled
$$;
