-- The indexes of schema $1, largest first: sizes in bytes, whether they can be used, how often they were, and whether this role may make them anew.
-- "bloatBytes" is an estimate, null for what is no B-tree and where there are no statistics to make it from: what the index takes beyond what its
-- entries would take by the average widths of their columns and its fill factor. What equal keys share is not counted, so that it errs to the low side.
-- The method is that of Jehan-Guillaume de Rorthais, https://github.com/ioguix/pgsql-bloat-estimation.
with page as (
  select current_setting('block_size')::integer as bytes, 24 + 16 as header, 4 as pointer, 8 as entry_header, 8.0 as alignment,
    90 as fillfactor
), widths as materialized (
  select tablename, attname, avg_width, null_frac
  from pg_stats
  where schemaname = $1 and not inherited
), member as (
  select made.oid, made.relname, made.relowner, made.reltuples, made.relpages, method.amname, pg_relation_size(made.oid) as bytes,
    index.indrelid, index.indkey, index.indisvalid and index.indisready as is_valid, holder.relname as table_name,
    coalesce(substring(array_to_string(made.reloptions, ' ') from 'fillfactor=(\d+)')::integer, page.fillfactor) as fillfactor
  from pg_index index
  cross join page
  join pg_class made on made.oid = index.indexrelid and made.relkind = 'i'
  join pg_class holder on holder.oid = index.indrelid and holder.relkind = 'r'
  join pg_namespace namespace on namespace.oid = holder.relnamespace
  join pg_am method on method.oid = made.relam
  where namespace.nspname = $1
)
select
  member.relname as index,
  member.table_name as "table",
  pg_get_userbyid(member.relowner) as owner,
  pg_has_role(member.relowner, 'usage') as "isOwned",
  case when pg_has_role(member.relowner, 'usage') then true
    when current_setting('server_version_num')::integer >= 170000 then has_table_privilege(member.indrelid, 'MAINTAIN')
    else false end as "mayMaintain",
  member.is_valid as "isValid",
  exists (select from pg_stat_progress_create_index building where building.relid = member.indrelid) as "isUnderWay",
  member.bytes::float8 as bytes,
  case when width.known = width.columns and member.relpages > 0 and member.reltuples >= 0 and member.amname = 'btree' then greatest(
    0,
    member.bytes - page.bytes * (1 + ceil(
      member.reltuples / member.relpages * member.bytes / page.bytes
        * (page.pointer + ceil((page.entry_header + width.null_bytes) / page.alignment) * page.alignment
          + ceil(width.data_bytes / page.alignment) * page.alignment)
        / ((page.bytes - page.header) * member.fillfactor / 100.0)
    ))
  ) end::float8 as "bloatBytes",
  coalesce(used.idx_scan, 0)::float8 as scans
from member
cross join page
left join pg_stat_all_indexes used on used.indexrelid = member.oid
cross join lateral (
  select
    count(*) as columns,
    count(widths.attname) as known,
    case when bool_or(widths.null_frac > 0) then 4 else 0 end as null_bytes,
    coalesce(sum((1 - widths.null_frac) * widths.avg_width), 0)::numeric as data_bytes
  from pg_attribute entry
  left join pg_attribute attribute on attribute.attrelid = member.indrelid and attribute.attnum = member.indkey[entry.attnum - 1]
    and attribute.attnum <> 0
  left join widths on widths.tablename = case when attribute.attname is null then member.relname else member.table_name end
    and widths.attname = coalesce(attribute.attname, entry.attname)
  where entry.attrelid = member.oid and entry.attnum > 0
) width
where member.bytes is not null
order by member.bytes desc, member.relname
