-- What an owner writes of a partition: the cursor moves only from where the owner believes it to be, and only under its own
-- epoch; events that could not be handled are held as it passes them, and those that were held and are handled now are not any
-- more. No row means that another engine owns it, or somebody is at it in this moment, and nothing was written.
with place as (
  update :"schema".subscription_cursors
  set position = $6, error = null, moved_at = clock_timestamp()
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
select from place
