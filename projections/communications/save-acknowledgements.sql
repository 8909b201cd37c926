-- What agents have acknowledged ($1, a JSON list in the order of the log): the first time counts, of a message that was there by then and
-- that went to this agent or to all.
with given as (
  select *
  from jsonb_to_recordset($1::jsonb) as one (agent_id text, message_id uuid, position bigint, at timestamptz)
),
valid as (
  select distinct on (given.agent_id, message.id) given.agent_id, message.id, message.to_agent, given.at
  from given
  join :"agent_communications" message on message.message_id = given.message_id
  where message.id < given.position and (message.to_agent is null or message.to_agent = given.agent_id)
  order by given.agent_id, message.id, given.position
),
acknowledged as (
  insert into :"agent_acknowledgements" (agent_id, id, acknowledged_at)
  select agent_id, id, at
  from valid
  on conflict do nothing
  returning agent_id, id
),
told as (
  update :"agent_communications" message
  set acknowledgements = message.acknowledgements + by_message.agents,
    status = case when message.to_agent is null then message.status else 'acknowledged' end
  from (select id, count(*)::integer as agents from acknowledged group by id) by_message
  where message.id = by_message.id
)
insert into :"agent_inboxes" as inbox (agent_id, received, acknowledged, acknowledged_to_all)
select agent_id, 0, count(to_agent), count(*) - count(to_agent)
from acknowledged
join valid using (agent_id, id)
group by agent_id
on conflict (agent_id) do update
set acknowledged = inbox.acknowledged + excluded.acknowledged,
  acknowledged_to_all = inbox.acknowledged_to_all + excluded.acknowledged_to_all
