-- The keys from $1 up to $2, those after $3, with their values; $4 at most, in the order of their bytes.
select key, value, version, created_at as "createdAt", updated_at as "updatedAt", updated_by as "updatedBy", reason,
  occurred_at as "occurredAt", recorded_at as "recordedAt"
from :"schema".system_state
where key >= $1 and key <= $2 and key > $3
order by key
limit $4
