-- Takes out of the cache what is over: so many ($1), the oldest first, but for what somebody else is at. Returns how many.
with over as (
  select namespace, key
  from :"schema".cache_entries
  where expires_at <= now()
  order by expires_at
  limit $1
  for update skip locked
),
swept as (
  delete from :"schema".cache_entries entry
  using over
  where entry.namespace = over.namespace and entry.key = over.key
  returning entry.key
)
select count(*)::integer as swept
from swept
