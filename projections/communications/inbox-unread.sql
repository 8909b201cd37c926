-- What came to an agent ($1) and to all and it has not acknowledged, the newest first: so many ($2), before a position ($3) where there is
-- one. Of what went to all, no more is looked for than the counts say there is: else it would be all, where all is acknowledged.
with message as (
  (
    select * from :"schema".agent_communications
    where to_agent = $1 and status = 'sent' and id < coalesce($3::bigint, 9223372036854775807)
    order by id desc limit $2
  )
  union all
  (
    select * from :"schema".agent_communications message
    where to_agent is null and id < coalesce($3::bigint, 9223372036854775807)
      and not exists (
        select from :"schema".agent_acknowledgements known where known.agent_id = $1 and known.id = message.id
      )
    order by id desc
    limit least($2, (
      select coalesce((select received from :"schema".agent_inboxes where agent_id = ''), 0)
        - coalesce((select acknowledged_to_all from :"schema".agent_inboxes where agent_id = $1), 0)
    ))
  )
)
select
  id, message_id as message, from_agent as "from", to_agent as "to", message_type as type, content, priority, reply_to as "replyTo",
  timestamp, null::timestamptz as "acknowledgedAt", occurred_at as "occurredAt", recorded_at as "recordedAt"
from message
order by id desc
limit $2
