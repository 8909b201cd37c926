-- The indexes of a new table that nothing needs while it is filled, with how to drop them and how to make them again: unique ones,
-- and the constraints that they stand for, only where $2 says so.
select
  made.oid::regclass::text as name,
  case when held.oid is null then format('drop index %s', made.oid::regclass)
    else format('alter table %s drop constraint %I', index.indrelid::regclass, held.conname) end as dropping,
  case when held.oid is null then pg_get_indexdef(made.oid)
    else format('alter table %s add constraint %I %s', index.indrelid::regclass, held.conname, pg_get_constraintdef(held.oid)) end as making
from pg_index index
join pg_class made on made.oid = index.indexrelid
left join pg_constraint held on held.conindid = made.oid and held.conrelid = index.indrelid
where index.indrelid = $1::regclass
  and not index.indisexclusion and not index.indisclustered and not index.indisreplident
  and ($2 or not index.indisunique)
  and not exists (select from pg_constraint used where used.conindid = made.oid and used.contype = 'f')
  and obj_description(made.oid, 'pg_class') is null and obj_description(held.oid, 'pg_constraint') is null
order by made.oid
