-- The rows of some agents ($1).
select agent_id, standing, health, since, interval_ms, is_promised, last_beat_at, heard::float8 as heard, heard_at, judged::float8 as judged, due_at,
  recorded_at
from :"agent_health"
where agent_id = any ($1::text[])
