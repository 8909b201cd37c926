with members as (
  delete from :"schema".subscription_members where subscription = $1
),
cursors as (
  delete from :"schema".subscription_cursors where subscription = $1
),
held as (
  delete from :"schema".held_events where subscription = $1
)
delete from :"schema".subscriptions where name = $1
