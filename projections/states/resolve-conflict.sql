-- Somebody has decided a conflict.
update :"state_conflicts"
set resolution = $2::jsonb -> 'resolution', resolved_by = $3, reason = $4, resolved_at = $5::timestamptz
where merge = $1::uuid and digest = sha256(convert_to($2::jsonb ->> 'path', 'UTF8'))
