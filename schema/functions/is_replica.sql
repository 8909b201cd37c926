-- Whether events come to this server from another one: a standby, or the subscriber of a logical replication of the log. The
-- other server's locks cannot be seen here, so only what it has written down counts as settled.
create or replace function is_replica()
returns boolean
language plpgsql
stable
set search_path from current
as $$
begin
  return pg_is_in_recovery()
    or exists (select from pg_subscription_rel where srrelid in ('events'::regclass, 'telemetry'::regclass));
end
$$;
