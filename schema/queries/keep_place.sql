-- What an owner writes of a partition: the cursor moves only from where the owner believes it to be, and only under its own
-- epoch; where the owner is careful, it says which event it is about to hand over. Events that could not be handled are held as the
-- cursor passes them. Those that were held and are handled now are not any more, and what waits behind one of them comes next: of
-- each of their streams it is said what that is, and whether it is still held. What the statement itself puts behind them is not
-- seen by that. No row means that another engine owns it, or somebody is at it in this moment, and nothing was written.
with place as (
  update :"schema".subscription_cursors
  set position = $6, error = null, rate = $9, begun = $10, moved_at = clock_timestamp()
  where (subscription, partition) = (
    select subscription, partition
    from :"schema".subscription_cursors
    where subscription = $1 and partition = $2 and epoch = $3 and owner = $4 and position = $5
    for update skip locked
  )
  returning partition
),
done as (
  delete from :"schema".held_events held
  using place
  where held.subscription = $1 and held.position = any ($8::bigint[])
  returning held.stream
),
ahead as (
  select
    of.stream,
    first.position is not null as is_held,
    case
      when not exists (
        select from :"schema".held_events other
        where other.subscription = $1 and other.partition = $2 and other.stream = of.stream and other.state <> 'waiting'
          and not other.position = any ($8::bigint[])
      )
      then first.position
    end as next
  from (select distinct stream from done) of
  -- However many wait, only the first is looked at.
  left join lateral (
    select other.position, other.subscription, other.partition, other.stream
    from :"schema".held_events other
    where (other.subscription, other.partition, other.stream, other.position) > ($1, $2, of.stream, 0)
      and not other.position = any ($8::bigint[])
    order by other.subscription, other.partition, other.stream, other.position
    limit 1
  ) first on (first.subscription, first.partition, first.stream) = ($1, $2, of.stream)
),
promoted as (
  update :"schema".held_events held
  set state = 'retrying', due_at = clock_timestamp()
  where held.subscription = $1 and held.position = any (array (select next from ahead))
),
held as (
  insert into :"schema".held_events as held (
    subscription, position, partition, stream, type, state, attempts, errors, due_at
  )
  select
    $1, one.position, place.partition, one.stream, one.type, one.state, one.attempts, one.errors,
    clock_timestamp() + one.due_ms * interval '1 millisecond'
  from place
  cross join jsonb_to_recordset($7::jsonb) as one (
    position bigint, stream text, type text, state text, attempts integer, errors jsonb, due_ms float8
  )
  on conflict (subscription, position) do update
  set state = excluded.state, attempts = excluded.attempts, errors = excluded.errors, due_at = excluded.due_at
)
select ahead.stream, ahead.is_held, ahead.next
from place
left join ahead on true
