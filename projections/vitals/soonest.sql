-- In how many ms the next agent is due; null where none is.
select (extract(epoch from min(due_at) - now()) * 1000)::float8 as "inMs"
from :"schema".agent_health
where due_at > now()
