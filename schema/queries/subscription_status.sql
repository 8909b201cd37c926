-- How subscriptions stand, a row for each partition: one of them, or all. The age is that of the first event that a partition
-- has not passed yet, whether it wants it or not.
select
  one.name, one.filter, one.partitions, one.state, one.next_partitions, one.next_at, one.created_at,
  cursor.partition, cursor.position, cursor.state as partition_state, cursor.error,
  holder.engine, holder.application, holder.host, holder.pid,
  coalesce(holder.alive_until > clock_timestamp(), false) as is_owned,
  coalesce(held.retrying, 0) as retrying,
  coalesce(held.parked, 0) as parked,
  coalesce(held.waiting, 0) as waiting,
  held.last_error,
  ahead.age_ms,
  (
    select count(*)::integer
    from :"schema".subscription_members member
    join :"schema".engines peer on peer.engine = member.engine
    where member.subscription = one.name and peer.alive_until > clock_timestamp()
  ) as members,
  (select case when is_called then last_value else 0 end from :"schema".log_position) as head
from :"schema".subscriptions one
join :"schema".subscription_cursors cursor on cursor.subscription = one.name
left join :"schema".engines holder on holder.engine = cursor.owner
left join lateral (
  select
    count(*) filter (where state = 'retrying')::integer as retrying,
    count(*) filter (where state = 'parked')::integer as parked,
    count(*) filter (where state = 'waiting')::integer as waiting,
    (array_agg(errors -> -1 order by errors -> -1 ->> 'at' desc) filter (where state <> 'dropped' and jsonb_array_length(errors) > 0))[1] as last_error
  from :"schema".held_events held
  where held.subscription = one.name and held.partition = cursor.partition
) held on true
left join lateral (
  select extract(epoch from clock_timestamp() - recorded_at)::float8 * 1000 as age_ms
  from :"schema".log_events event
  where event.position > cursor.position
  order by event.position
  limit 1
) ahead on true
where $1::text is null or one.name = $1
order by one.name, cursor.partition
