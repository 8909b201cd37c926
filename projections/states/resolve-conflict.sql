-- Somebody has decided a conflict ($1).
update :"state_conflicts"
set resolution = $2::jsonb -> 'resolution', resolved_by = $3, reason = $4, resolved_at = $5::timestamptz, expired_at = null
where id = $1::uuid
