-- Goes on, also in partitions that stopped.
with resumed as (
  update :"schema".subscriptions set state = 'running' where name = $1
)
update :"schema".subscription_cursors
set state = 'running', error = null
where subscription = $1
