-- How one message ($1) stands, and the agents that have acknowledged it, the first so many ($2).
select
  message_id as message, from_agent as "from", to_agent as "to", status, acknowledgements, timestamp,
  array(
    select agent_id
    from :"schema".agent_acknowledgements known
    where known.id = message.id and (message.to_agent is not null or known.agent_id <> message.from_agent)
    order by acknowledged_at, agent_id
    limit $2
  ) as "acknowledgedBy"
from :"schema".agent_communications message
where message_id = $1
