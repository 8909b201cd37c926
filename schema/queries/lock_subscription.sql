-- A subscription, for who changes it: its owners notice by the new epochs, and write nothing under the old ones.
with subscription as (
  select name from :"schema".subscriptions where name = $1 for update
)
update :"schema".subscription_cursors cursor
set epoch = epoch + 1, owner = null
from subscription
where cursor.subscription = subscription.name
