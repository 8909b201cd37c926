-- What came to an agent ($1) and to all, the newest first: so many ($2), before a position ($3) where there is one.
with message as (
  (
    select * from :"schema".agent_communications
    where to_agent = $1 and id < coalesce($3::bigint, 9223372036854775807)
    order by id desc limit $2
  )
  union all
  (
    select * from :"schema".agent_communications
    where to_agent is null and id < coalesce($3::bigint, 9223372036854775807)
    order by id desc limit $2
  )
)
select
  message.id, message_id as message, from_agent as "from", to_agent as "to", message_type as type, content, priority, reply_to as "replyTo",
  timestamp, acknowledged_at as "acknowledgedAt", occurred_at as "occurredAt", recorded_at as "recordedAt"
from message
left join :"schema".agent_acknowledgements acknowledgement on acknowledgement.agent_id = $1 and acknowledgement.id = message.id
order by message.id desc
limit $2
