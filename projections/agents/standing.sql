-- How an agent ($1; its stream is $2) stands in the log itself, ahead of the read model: the version of its stream, and whether it is retired, by
-- the last event of the types $3 that the read model has not folded yet, else by the read model. 'AgentRetired' is the type that says so.
select
  coalesce((select version from :"schema".events where stream = $2 order by version desc limit 1), 0)::integer as version,
  coalesce(ahead.type = 'AgentRetired', known.retired_at is not null) as "isRetired"
from (select $1::text as agent_id) asked
left join :"schema".agents known using (agent_id)
left join lateral (
  select type
  from :"schema".events
  where stream = $2 and version > coalesce(known.version, 0) and type = any ($3::text[])
  order by version desc
  limit 1
) ahead on true
