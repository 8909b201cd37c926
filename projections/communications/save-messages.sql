-- Messages as they were sent ($1, a JSON list): each is counted as received, and one to all as acknowledged by who sent it.
with message as (
  select *
  from jsonb_to_recordset($1::jsonb) as one (
    id bigint, message_id uuid, from_agent text, to_agent text, message_type text, content jsonb, priority text, reply_to uuid,
    timestamp timestamptz, occurred_at timestamptz, recorded_at timestamptz
  )
),
sent as (
  insert into :"agent_communications" (
    id, message_id, from_agent, to_agent, message_type, content, priority, reply_to, timestamp, status, acknowledgements, occurred_at, recorded_at
  )
  select id, message_id, from_agent, to_agent, message_type, content, priority, reply_to, timestamp, 'sent', 0, occurred_at, recorded_at
  from message
),
known as (
  insert into :"agent_acknowledgements" (agent_id, id, acknowledged_at)
  select from_agent, id, recorded_at
  from message
  where to_agent is null
),
counted as (
  select coalesce(to_agent, '') as agent_id, 1 as received, 0 as known
  from message
  union all
  select from_agent, 0, 1
  from message
  where to_agent is null
)
insert into :"agent_inboxes" as inbox (agent_id, received, acknowledged, acknowledged_to_all)
select agent_id, sum(received), 0, sum(known)
from counted
group by agent_id
on conflict (agent_id) do update
set received = inbox.received + excluded.received, acknowledged_to_all = inbox.acknowledged_to_all + excluded.acknowledged_to_all
