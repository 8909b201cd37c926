-- The indexes of a new table that nothing needs while it is filled, and how to make them again.
select made.oid::regclass::text as name, pg_get_indexdef(made.oid) as definition
from pg_index index
join pg_class made on made.oid = index.indexrelid
where index.indrelid = $1::regclass and not index.indisunique and not index.indisexclusion and not index.indisclustered
  and not exists (select from pg_constraint held where held.conindid = made.oid)
  and obj_description(made.oid, 'pg_class') is null
order by made.oid
