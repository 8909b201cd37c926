-- The value of the key $1, who set it, when and why.
select key, value, version, created_at as "createdAt", updated_at as "updatedAt", updated_by as "updatedBy", reason,
  occurred_at as "occurredAt", recorded_at as "recordedAt"
from :"schema".system_state
where key = $1
