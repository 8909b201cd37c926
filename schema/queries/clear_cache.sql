-- Takes entries of the namespace $1 out of the cache: so many ($3) after the key $2, in the order of their keys. Returns how many there were, how many of
-- them still counted, and the last key.
with found as (
  select namespace, key
  from :"schema".cache_entries
  where namespace = $1 and key > $2
  order by namespace, key
  limit $3
  for update
),
dropped as (
  delete from :"schema".cache_entries entry
  using found
  where entry.namespace = found.namespace and entry.key = found.key
  returning entry.key, entry.expires_at > now() as counted
)
select count(*) filter (where counted)::integer as dropped, count(*)::integer as found, max(key) as last
from dropped
