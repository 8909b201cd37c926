-- What a synchronisation ($1) has left is all there is of conflicts in the keys that it left: others are over, but for what is decided already.
-- What was over itself, or given up and is about something else now, begins anew.
with found as (
  select id, digest from jsonb_to_recordset($2::jsonb) as one (id uuid, digest text)
),
over as (
  update :"state_sync_conflicts" known
  set status = 'resolved', resolved_at = ($1::jsonb ->> 'at')::timestamptz
  where known.target_agent_id = $1::jsonb ->> 'target_agent_id' and known.source_agent_id = $1::jsonb ->> 'source_agent_id'
    and known.target_branch = $1::jsonb ->> 'target_branch' and known.source_branch = $1::jsonb ->> 'source_branch'
    and known.status <> 'resolved' and known.status <> 'decided'
    and known.keys && $3::text[] and not known.id = any (array(select id from found))
)
delete from :"state_sync_conflicts" known
using found
where known.id = found.id
  and (known.status = 'resolved' or (known.status = 'expired' and known.digest <> found.digest))
