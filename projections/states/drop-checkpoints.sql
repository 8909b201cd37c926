-- Checkpoints that are over.
update :"state_checkpoints" checkpoint
set dropped_at = one.at, dropped_because = one.data ->> 'why'
from jsonb_to_recordset($1::jsonb) as one (id uuid, data jsonb, at timestamptz)
where checkpoint.id = one.id
