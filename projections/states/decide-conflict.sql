-- Somebody ($4) has decided ($3) a conflict ($1), as it was then ($2), for a reason ($5), at a time ($6).
update :"state_sync_conflicts"
set status = 'decided', resolution = $3::jsonb, resolved_by = $4, reason = $5, resolved_at = $6::timestamptz
where id = $1::uuid and digest = $2 and status in ('open', 'expired')
