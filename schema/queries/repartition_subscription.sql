-- Every cursor stops where the furthest is; then the streams are dealt anew.
update :"schema".subscriptions
set
  next_partitions = $2,
  next_at = (
    select max(position)
    from :"schema".subscription_cursors
    where subscription = $1
  )
where name = $1
