-- Events by their ids, and what led to each of them, and to that, up to where no cause is known; the nearest first.
with recursive above as (
  select found.position, found.id, found.cause
  from unnest($1::uuid[]) as wanted (id)
  cross join lateral (
    select position, id, lower(meta ->> 'causationId') as cause
    from :"schema".log_events event
    where event.id = wanted.id and event.position <= $2
    limit 1
  ) found
  union
  select found.position, found.id, found.cause
  from above
  cross join lateral (
    select position, id, lower(meta ->> 'causationId') as cause
    from :"schema".log_events event
    where event.position <= $2 and event.id = case
      when above.cause ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then above.cause::uuid
    end
    limit 1
  ) found
)
select position, id, cause
from above
limit $3
