-- How far a try is, and whether it is live by now: the stretches that it has folded, in order.
select
  state, position, folded_events as events,
  (
    select coalesce(json_agg(json_build_object('from', lower(stretch) - 1, 'to', upper(stretch) - 1) order by stretch), '[]')
    from unnest(folded) stretch
  ) as stretches
from :"schema".generations
where projection = $1 and generation = $2 and build = $3
