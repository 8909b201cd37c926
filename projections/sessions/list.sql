-- Sessions, the newest first: in a status ($1), of a user ($2), of an agent ($3), each where given; so many ($4), before a position ($5) where there
-- is one. Each status that is recorded is looked up by itself, so that one index has the newest of it in order, of all, of a user or of an agent; of
-- both, those of one of them are looked through. What is recorded as active and whose time is over is expired.
with found as (
  (
    select id, session_id
    from :"schema".session_records
    where ($1::text is null or $1 = 'active' and expires_at > now()) and status = 'active'
      and ($2::text is null or user_id = $2) and ($3::text is null or agent_id = $3)
      and id < coalesce($5::bigint, 9223372036854775807)
    order by id desc
    limit $4
  )
  union all
  (
    select id, session_id
    from :"schema".session_records
    where $1 = 'expired' and expires_at <= now() and status = 'active'
      and ($2::text is null or user_id = $2) and ($3::text is null or agent_id = $3)
      and id < coalesce($5::bigint, 9223372036854775807)
    order by id desc
    limit $4
  )
  union all
  (
    select id, session_id
    from :"schema".session_records
    where ($1 is null or $1 = 'expired') and status = 'expired'
      and ($2::text is null or user_id = $2) and ($3::text is null or agent_id = $3)
      and id < coalesce($5::bigint, 9223372036854775807)
    order by id desc
    limit $4
  )
  union all
  (
    select id, session_id
    from :"schema".session_records
    where ($1 is null or $1 = 'ended') and status = 'ended'
      and ($2::text is null or user_id = $2) and ($3::text is null or agent_id = $3)
      and id < coalesce($5::bigint, 9223372036854775807)
    order by id desc
    limit $4
  )
  order by id desc
  limit $4
)
select
  one.id, session_id as session, user_id as "user", agent_id as agent, data, status, ttl_ms as "ttlMs", created_at as "createdAt",
  touched_at as "touchedAt", expires_at as "expiresAt", ended_at as "endedAt", occurred_at as "occurredAt", recorded_at as "recordedAt"
from found
join :"schema".sessions one using (session_id)
order by one.id desc
