-- How far each read model is behind: for how long the oldest event has been there that it has still to fold, in ms, and how many positions of the log lie from that
-- one to the end; 0 where there is none. $1 is a JSON object of each one's types of event.
select
  name,
  coalesce(extract(epoch from clock_timestamp() - oldest.recorded_at) * 1000, 0)::float8 as ms,
  coalesce((select last_value from tidemark.log_position) - oldest.position + 1, 0)::float8 as positions
from tidemark.projections model
left join lateral (
  select event.position, event.recorded_at
  from tidemark.log_events event
  where event.position > model.position and event.type = any (array(select jsonb_array_elements_text($1::jsonb -> model.name)))
  order by event.position
  limit 1
) oldest on true
where $1::jsonb ? name
