-- Agents that are not retired, whose id or name is written much like a query: those that have any third of its trigrams ($1, $2 or $3) as a whole, and by that at least $5 of all of them ($4), changed since a
-- time ($6) where given; the likest $7. One mistake leaves one third as it was.
with found as (
  select agent_id, coalesce(name, agent_id) as title, updated_at as at, :"schema".trigrams(agent_id || ' ' || coalesce(name, '')) as own
  from :"schema".agents
  where (
      :"schema".trigrams(agent_id || ' ' || coalesce(name, '')) @> $1::text[]
      or :"schema".trigrams(agent_id || ' ' || coalesce(name, '')) @> $2::text[]
      or :"schema".trigrams(agent_id || ' ' || coalesce(name, '')) @> $3::text[]
    )
    and retired_at is null
    and updated_at >= coalesce($6::timestamptz, '-infinity')
), alike as (
  select found.*, (select count(*) from unnest($4::text[]) wanted where wanted = any (own))::float8 / cardinality($4::text[]) as likeness
  from found
)
select agent_id as id, agent_id as agent, left(title, 200) as title, likeness as rank, at, agent_id || coalesce(nullif(' ' || title, ' ' || agent_id), '') as snippet
from alike
where likeness >= $5
order by likeness desc, at desc, agent_id
limit $7
