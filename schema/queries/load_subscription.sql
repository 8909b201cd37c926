-- What a subscription wants, whether it runs, and how far the furthest of its cursors is beside the log.
select
  name, filter, partitions, state,
  (
    select coalesce(max(position), 0)
    from :"schema".subscription_cursors cursor
    where cursor.subscription = subscriptions.name
  ) as furthest,
  (select case when is_called then last_value else 0 end from :"schema".log_position) as head
from :"schema".subscriptions
where name = $1
