-- The tables of schema $1, largest first: sizes in bytes, rows, when they were last looked after, and whether this role may do that.
-- "bloatBytes" is an estimate, null where there are no statistics to make it from: what the table takes beyond what its rows would take by the
-- average widths of their columns, as ANALYZE found them. Padding between columns counts as bloat, and so does what the fill factor keeps free.
-- The method is that of Jehan-Guillaume de Rorthais, https://github.com/ioguix/pgsql-bloat-estimation.
with page as (
  select current_setting('block_size')::integer as bytes, 24 as header, 4 as pointer, 23 as row_header, 8.0 as alignment
), widths as materialized (
  select tablename, attname, avg_width, null_frac
  from pg_stats
  where schemaname = $1 and not inherited
), member as (
  select class.oid, class.relname, class.relkind, class.relowner, class.reltuples, class.relpages, class.relfrozenxid,
    pg_relation_size(class.oid) as heap_bytes, pg_table_size(class.oid) as bytes, pg_indexes_size(class.oid) as index_bytes
  from pg_class class
  join pg_namespace namespace on namespace.oid = class.relnamespace
  where namespace.nspname = $1 and class.relkind in ('r', 'p')
)
select
  member.relname as "table",
  parent.relname as "partitionOf",
  member.relkind = 'p' as "isPartitioned",
  pg_get_userbyid(member.relowner) as owner,
  case when pg_has_role(member.relowner, 'usage') then true
    when current_setting('server_version_num')::integer >= 170000 then has_table_privilege(member.oid, 'MAINTAIN')
    else false end as "mayMaintain",
  member.heap_bytes > 0 as "hasPages",
  member.bytes::float8 as bytes,
  member.index_bytes::float8 as "indexBytes",
  nullif(member.reltuples, -1)::float8 as rows,
  coalesce(counted.n_live_tup, 0)::float8 as "liveRows",
  coalesce(counted.n_dead_tup, 0)::float8 as "deadRows",
  coalesce(counted.n_mod_since_analyze, 0)::float8 as "changedRows",
  case when width.known = width.columns and member.relpages > 0 and member.reltuples >= 0 and member.relkind = 'r' then greatest(
    0,
    member.heap_bytes - page.bytes * ceil(
      member.reltuples / member.relpages * member.heap_bytes / page.bytes
        * (page.pointer + ceil((page.row_header + width.null_bytes) / page.alignment) * page.alignment
          + ceil(width.data_bytes / page.alignment) * page.alignment)
        / (page.bytes - page.header)
    )
  ) end::float8 as "bloatBytes",
  extract(epoch from now() - greatest(counted.last_analyze, counted.last_autoanalyze))::float8 * 1000 as "analyzedMs",
  extract(epoch from now() - greatest(counted.last_vacuum, counted.last_autovacuum))::float8 * 1000 as "vacuumedMs",
  case when member.relkind = 'r' then age(member.relfrozenxid) end as "transactionIdAge"
from member
cross join page
left join pg_inherits on inhrelid = member.oid
left join pg_class parent on parent.oid = inhparent
left join pg_stat_all_tables counted on counted.relid = member.oid
cross join lateral (
  select
    count(*) as columns,
    count(widths.attname) as known,
    case when bool_or(widths.null_frac > 0) then ceil(count(*) / 8.0) else 0 end as null_bytes,
    coalesce(sum((1 - widths.null_frac) * widths.avg_width), 0)::numeric as data_bytes
  from pg_attribute attribute
  left join widths on widths.tablename = member.relname and widths.attname = attribute.attname
  where attribute.attrelid = member.oid and attribute.attnum > 0 and not attribute.attisdropped
) width
where member.bytes is not null
order by member.bytes + member.index_bytes desc, member.relname
