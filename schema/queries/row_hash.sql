-- How the rows of a table ($1) are told apart and compared with those of another ($2): by the columns that both have. A column is
-- hashed as its type compares values, 1.0 like 1; as text where its type compares none.
select
  coalesce(string_agg(
    case when hashed.type is null then format('%I::text', attribute.attname) else format('%I', attribute.attname) end,
    ', ' order by attribute.attnum
  ), '') as columns,
  coalesce(string_agg(format('%I', attribute.attname), ', ' order by attribute.attnum)
    filter (where attribute.attnum = any (key.columns)), '') as key
from pg_attribute attribute
join pg_attribute other
  on other.attrelid = $2::regclass and other.attname = attribute.attname and other.atttypid = attribute.atttypid
  and other.attnum > 0 and not other.attisdropped
left join lateral (
  select opclass.opcintype as type
  from pg_opclass opclass
  join pg_am method on method.oid = opclass.opcmethod and method.amname = 'hash'
  where opclass.opcdefault and opclass.opcintype = attribute.atttypid
) hashed on true
left join lateral (
  select index.indkey::int2[] as columns
  from pg_index index
  where index.indrelid = attribute.attrelid and index.indisunique and index.indpred is null and index.indexprs is null
  order by index.indisprimary desc, index.indexrelid
  limit 1
) key on true
where attribute.attrelid = $1::regclass and attribute.attnum > 0 and not attribute.attisdropped
