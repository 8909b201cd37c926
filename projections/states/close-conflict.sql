-- The time of a conflict ($1), as it was then ($2), is over ($3: expired), or there is none any more (gone), at a time ($4).
with merged as (
  update :"state_conflicts" set expired_at = $4::timestamptz where id = $1::uuid and $3::text = 'expired' and resolution is null
)
update :"state_sync_conflicts"
set status = case when $3 = 'expired' then 'expired' else 'resolved' end, resolved_at = case when $3 = 'expired' then null else $4::timestamptz end
where id = $1::uuid and digest = $2 and status in ('open', 'expired')
