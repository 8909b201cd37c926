-- A subscription that is not there yet, with its streams dealt into partitions that all begin at one position.
with made as (
  insert into :"schema".subscriptions (name, filter, partitions)
  values ($1, $2, $3)
  on conflict (name) do nothing
  returning name, partitions
)
insert into :"schema".subscription_cursors (subscription, partition, position)
select made.name, part, $4::bigint
from made, generate_series(0, made.partitions - 1) part
