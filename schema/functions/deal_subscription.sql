-- Deals the streams of a subscription into its new number of partitions, once every cursor has come to where all of them stop, none
-- is stopped by a failure, and nobody who may be alive owns one: he may be at an event yet. Returns whether it did. What is held goes
-- with its stream. It locks as everybody does, the subscription, its cursors by partition, held events by position, and waits for
-- no cursor: who is at one comes here after that.
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
  _clean_epoch integer;
  _now timestamptz := clock_timestamp();
begin
  select one.next_partitions, one.next_at into _partitions, _at
  from subscriptions one
  where one.name = deal_subscription.subscription and one.next_at is not null
  for update;
  if not found then
    return false;
  end if;
  if exists (
    select from subscription_cursors cursor
    left join engines on engine = cursor.owner
    where cursor.subscription = deal_subscription.subscription
      and (
        cursor.position < _at
        or cursor.state = 'stopped'
        or (engine is not null and not engine in (select lock_gone_owners(deal_subscription.subscription)))
      )
  ) then
    return false;
  end if;
  if (
    select count(*)
    from (
      select from subscription_cursors cursor
      where cursor.subscription = deal_subscription.subscription
      order by cursor.partition
      for update skip locked
    ) locked
  ) < (
    select count(*) from subscription_cursors cursor where cursor.subscription = deal_subscription.subscription
  ) then
    return false;
  end if;
  -- Whoever comes next is careful where an owner was gone without a word.
  select max(cursor.epoch) + 1, max(cursor.epoch) + (not bool_or(cursor.owner is not null))::integer into _epoch, _clean_epoch
  from subscription_cursors cursor
  where cursor.subscription = deal_subscription.subscription;
  delete from subscription_cursors cursor where cursor.subscription = deal_subscription.subscription;
  insert into subscription_cursors (subscription, partition, position, epoch, clean_epoch, moved_at)
  select deal_subscription.subscription, part, _at, _epoch, _clean_epoch, _now
  from generate_series(0, _partitions - 1) part;
  perform from held_events held
  where held.subscription = deal_subscription.subscription
  order by held.position
  for update;
  update held_events held
  set partition = partition_of(held.stream, _partitions)
  where held.subscription = deal_subscription.subscription;
  update subscriptions one
  set partitions = _partitions, next_partitions = null, next_at = null
  where one.name = deal_subscription.subscription;
  return true;
end
$$;
