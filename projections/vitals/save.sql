-- Rows of agents ($1, a JSON list) as they are now.
insert into :"agent_health" (
  agent_id, standing, health, since, interval_ms, is_promised, last_beat_at, heard, heard_at, judged, due_at, recorded_at
)
select agent_id, standing, health, since, interval_ms, is_promised, last_beat_at, heard, heard_at, judged, due_at, recorded_at
from jsonb_to_recordset($1::jsonb) as one (
  agent_id text, standing text, health text, since timestamptz, interval_ms integer, is_promised boolean, last_beat_at timestamptz, heard bigint,
  heard_at timestamptz, judged bigint, due_at timestamptz, recorded_at timestamptz
)
on conflict (agent_id) do update
set standing = excluded.standing, health = excluded.health, since = excluded.since, interval_ms = excluded.interval_ms,
  is_promised = excluded.is_promised, last_beat_at = excluded.last_beat_at, heard = excluded.heard, heard_at = excluded.heard_at,
  judged = excluded.judged, due_at = excluded.due_at, recorded_at = excluded.recorded_at
