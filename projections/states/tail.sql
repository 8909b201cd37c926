-- What came in some streams ($1) after some versions ($2), and how far each goes.
select head.version as head, later.tail
from unnest($1::text[], $2::bigint[]) with ordinality as wanted (stream, after, nth)
-- One by one: the planner takes every stream for a short one, where most are.
left join lateral (
  select one.version from :"schema".streams one where one.stream = wanted.stream offset 0
) head on true
left join lateral (
  select jsonb_agg(
    jsonb_build_array(
      event.version, event.position, event.id, event.type, event.data, event.meta,
      (extract(epoch from event.recorded_at) * 1000)::float8
    ) order by event.version
  ) as tail
  from :"schema".events event
  where event.stream = wanted.stream and event.version > wanted.after and head.version > wanted.after
) later on true
order by wanted.nth
