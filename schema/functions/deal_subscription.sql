-- Deals the streams of a subscription into its new number of partitions, once every cursor has come to where all of them stop;
-- returns whether it did. What is held goes with its stream.
create or replace function deal_subscription(subscription text)
returns boolean
language plpgsql
volatile
set search_path from current
as $$
declare
  _partitions integer;
  _at bigint;
  _epoch integer;
  _now timestamptz := clock_timestamp();
begin
  select one.next_partitions, one.next_at into _partitions, _at
  from subscriptions one
  where one.name = deal_subscription.subscription and one.next_at is not null
  for update;
  if not found then
    return false;
  end if;
  perform from subscription_cursors cursor
  where cursor.subscription = deal_subscription.subscription
  for update;
  if exists (
    select from subscription_cursors cursor
    where cursor.subscription = deal_subscription.subscription and cursor.position < _at
  ) then
    return false;
  end if;
  select max(cursor.epoch) + 1 into _epoch
  from subscription_cursors cursor
  where cursor.subscription = deal_subscription.subscription;
  delete from subscription_cursors cursor where cursor.subscription = deal_subscription.subscription;
  insert into subscription_cursors (subscription, partition, position, epoch, moved_at)
  select deal_subscription.subscription, part, _at, _epoch, _now
  from generate_series(0, _partitions - 1) part;
  update held_events held
  set partition = partition_of(held.stream, _partitions)
  where held.subscription = deal_subscription.subscription;
  update subscriptions one
  set partitions = _partitions, next_partitions = null, next_at = null
  where one.name = deal_subscription.subscription;
  return true;
end
$$;
