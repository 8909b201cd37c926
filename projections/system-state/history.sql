-- What was done to a key, the newest first: $1 its stream, $2 before which version, $3 how many at most.
select version, type = 'SystemStateRemoved' as removed, data -> 'value' as value, meta ->> 'actor' as by, meta ->> 'reason' as reason,
  :"schema".occurred_at(data) as "occurredAt", recorded_at as "recordedAt", position
from :"schema".events
where stream = $1 and version < coalesce($2::bigint, 9223372036854775807) and type in ('SystemStateSet', 'SystemStateRemoved')
order by version desc
limit $3
