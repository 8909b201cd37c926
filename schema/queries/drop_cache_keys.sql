-- Takes entries out of the cache: of the namespace $1, under the keys $2. Returns how many of them still counted. All that take several lock them in one order, so
-- that none waits for another that waits for it.
with found as (
  select namespace, key
  from :"schema".cache_entries
  where namespace = $1 and key = any ($2::text[])
  order by namespace, key
  for update
),
dropped as (
  delete from :"schema".cache_entries entry
  using found
  where entry.namespace = found.namespace and entry.key = found.key
  returning entry.expires_at > now() as counted
)
select count(*) filter (where counted)::integer as dropped
from dropped
