-- Takes entries out of the cache: of the namespace $1, with any of the tags $2. Returns how many of them still counted.
with found as (
  select namespace, key
  from :"schema".cache_entries
  where tags && $2::text[] and tags <> '{}' and namespace = $1
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
