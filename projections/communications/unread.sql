-- How many messages to an agent ($1) or to all it has not acknowledged, from the counts that are kept of them.
select (
  coalesce((select received - acknowledged - acknowledged_to_all from :"schema".agent_inboxes where agent_id = $1), 0)
    + coalesce((select received from :"schema".agent_inboxes where agent_id = ''), 0)
)::integer as unread
