-- The last beats ($1, a JSON list) of agents that are known to beat: what they do to a row of theirs, $2 intervals after which the
-- watchdog has to look at one that is healthy; at one that is not, at once. Gives those whose row it was.
update :"agent_health" known
set last_beat_at = beat.recorded_at, heard = beat.position, heard_at = beat.recorded_at, recorded_at = beat.recorded_at,
  due_at = case known.health
    when 'healthy' then beat.recorded_at + $2::integer * known.interval_ms * interval '1 millisecond'
    else beat.recorded_at
  end
from jsonb_to_recordset($1::jsonb) as beat (agent_id text, position bigint, recorded_at timestamptz)
where known.agent_id = beat.agent_id and known.health <> 'unknown'
returning known.agent_id
