-- Messages, the newest first: from an agent ($1), to one ($2), of a type ($3), in reply to a message ($4), each where given; so many ($5),
-- before a position ($6) where there is one.
select
  id, message_id as message, from_agent as "from", to_agent as "to", message_type as type, content, priority, reply_to as "replyTo",
  timestamp, status, acknowledgements, occurred_at as "occurredAt", recorded_at as "recordedAt"
from :"schema".agent_communications
where ($1::text is null or from_agent = $1)
  and ($2::text is null or to_agent = $2)
  and ($3::text is null or message_type = $3)
  and ($4::uuid is null or reply_to = $4)
  and id < coalesce($6::bigint, 9223372036854775807)
order by id desc
limit $5
