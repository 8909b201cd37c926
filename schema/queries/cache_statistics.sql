-- By namespace: how many entries count, how much they hold, and how often the cache had what was asked for, or not. It reads an index alone.
with held as (
  select namespace, count(*) as entries, sum(bytes) as bytes
  from :"schema".cache_entries
  where expires_at > now()
  group by namespace
)
select
  namespace, coalesce(entries, 0)::float8 as entries, coalesce(bytes, 0)::float8 as bytes, coalesce(hits, 0)::float8 as hits,
  coalesce(misses, 0)::float8 as misses
from held
full join :"schema".cache_reads using (namespace)
order by namespace
