-- The owners of a subscription's partitions that were not heard of in time. Who is heard of in this moment is none of them, and who is
-- heard of later sees what was done with their partitions: the rows stay locked until then. Others who ask see them too.
create or replace function lock_gone_owners(subscription text)
returns setof uuid
language plpgsql
volatile
set search_path from current
as $$
begin
  return query
  select owner.engine
  from engines owner
  where owner.alive_until <= clock_timestamp()
    and owner.engine in (
      select cursor.owner
      from subscription_cursors cursor
      where cursor.subscription = lock_gone_owners.subscription
    )
  for share skip locked;
end
$$;
