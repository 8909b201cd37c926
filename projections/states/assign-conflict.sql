-- Somebody ($2) is to decide a conflict ($1), or nobody in particular.
with merged as (
  update :"state_conflicts" set assignee = $2::text where id = $1::uuid
)
update :"state_sync_conflicts"
set assignee = $2::text
where id = $1::uuid
