-- How subscriptions stand, a row for each partition: one of them ($1), or all. What a partition is behind with is counted among
-- the newest $2 events of the log; where it has not come that far, only those are, and the age is that of the first event that it
-- has not passed, whether it wants it or not. What was handled before the last $3 ms leaves its rate bit by bit.
with chosen as materialized (
  select
    one.*,
    texts.*,
    :"schema".telemetry_kept_after(texts.streams, texts.categories) as kept_after,
    (select min(position) from :"schema".subscription_cursors cursor where cursor.subscription = one.name) as passed
  from :"schema".subscriptions one
  cross join lateral (
    select
      case when filter ? 'streams' then array(select jsonb_array_elements_text(filter -> 'streams')) end as streams,
      case when filter ? 'categories' then array(select jsonb_array_elements_text(filter -> 'categories')) end as categories,
      case when filter ? 'types' then array(select jsonb_array_elements_text(filter -> 'types')) end as types,
      case when filter ? 'labels' then array(select jsonb_array_elements_text(filter -> 'labels')) end as labels,
      filter ->> 'agent' as agent
  ) texts
  where $1::text is null or name = $1
),
newest as materialized (
  select position, stream, type, labels, meta, recorded_at
  from :"schema".log_events
  where position > (select min(passed) from chosen)
  order by position desc
  limit $2
),
-- Materialized, so that a stream is not hashed for each partition.
wanted as materialized (
  select one.name, event.position, event.recorded_at, :"schema".partition_of(event.stream, one.partitions) as partition
  from chosen one
  join newest event on event.position > one.passed
    and :"schema".is_wanted(
      event.stream, event.type, event.labels, event.meta, one.streams, one.categories, one.types, one.labels, one.agent
    )
),
behind as (
  select name, partition, count(*)::integer as events, min(wanted.recorded_at) as since
  from wanted
  join :"schema".subscription_cursors cursor using (partition)
  where cursor.subscription = wanted.name and wanted.position > cursor.position
  group by name, partition
)
select
  one.name, one.filter, one.partitions, one.state, one.next_partitions, one.next_at, one.created_at, one.kept_after,
  cursor.partition, cursor.position, cursor.state as partition_state, cursor.error,
  cursor.rate * greatest(0, 1 - extract(epoch from clock_timestamp() - cursor.moved_at)::float8 * 1000 / $3) as rate,
  holder.engine, holder.application, holder.host, holder.pid,
  coalesce(holder.alive_until > clock_timestamp(), false) as is_owned,
  coalesce(held.retrying, 0) as retrying,
  coalesce(held.parked, 0) as parked,
  coalesce(held.waiting, 0) as waiting,
  held.last_error,
  coalesce(behind.events, 0) as behind,
  coalesce(ahead.is_cut, false) as is_cut,
  extract(epoch from clock_timestamp() - case when ahead.is_cut then ahead.since else behind.since end)::float8 * 1000 as age_ms,
  (
    select count(*)::integer
    from :"schema".subscription_members member
    join :"schema".engines peer on peer.engine = member.engine
    where member.subscription = one.name and peer.alive_until > clock_timestamp()
  ) as members,
  (select case when is_called then last_value else 0 end from :"schema".log_position) as head
from chosen one
join :"schema".subscription_cursors cursor on cursor.subscription = one.name
left join behind on behind.name = one.name and behind.partition = cursor.partition
left join :"schema".engines holder on holder.engine = cursor.owner and not holder.has_left
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
  select event.position < (select min(position) from newest) as is_cut, event.recorded_at as since
  from :"schema".log_events event
  where event.position > cursor.position
  order by event.position
  limit 1
) ahead on true
order by one.name, cursor.partition
