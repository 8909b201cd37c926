-- A subscription that is not there yet, with its streams dealt into partitions that all begin at one position, in an epoch that none
-- of its name was ever in. Where that is known from is locked once the name is free: so it is seen as it is then, after a deletion
-- that was waited for.
with made as (
  insert into :"schema".subscriptions (name, filter, partitions)
  values ($1, $2, $3)
  on conflict (name) do nothing
  returning name, partitions
),
begun as (
  select made.name, made.partitions, ended.highest + 1 as epoch
  from made, :"schema".ended_epochs ended
  for share of ended
)
insert into :"schema".subscription_cursors (subscription, partition, position, epoch, clean_epoch)
select begun.name, part, $4::bigint, begun.epoch, begun.epoch
from begun, generate_series(0, begun.partitions - 1) part
