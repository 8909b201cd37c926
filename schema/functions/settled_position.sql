-- Where the log was settled when it was last written down; the value belongs to the snapshot of the query around it,
-- so `where position <= settled_position()` is right in any isolation level and on a standby.
-- A logical replica copies table by table: what was written down is there before the events are, and says nothing until then.
create or replace function settled_position()
returns bigint
language sql
stable
set search_path from current
as $$
  select case when exists (
    select from pg_subscription_rel
    where srrelid in ('events'::regclass, 'telemetry'::regclass, 'settled'::regclass) and srsubstate <> 'r'
  ) then 0 else position end
  from settled
$$;
