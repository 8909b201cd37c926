-- An engine tells how often the cache had what it asked for ($2) and how often not ($3), by namespace ($1), since it last told.
insert into :"schema".cache_reads as told (namespace, hits, misses)
select namespace, hits, misses
from unnest($1::text[], $2::bigint[], $3::bigint[]) counted (namespace, hits, misses)
order by namespace
on conflict (namespace) do update
set hits = told.hits + excluded.hits, misses = told.misses + excluded.misses
