-- The telemetry partitions that there are, by their own bounds: positions that were leapt over belong to none.
select name, bounds[1] as from_position, bounds[2] as up_to, bytes
from (
  select
    partition.relname as name,
    regexp_match(pg_get_expr(partition.relpartbound, partition.oid), '\(''?(\d+)''?\) TO \(''?(\d+)''?\)')::bigint[] as bounds,
    pg_total_relation_size(partition.oid) as bytes
  from pg_inherits
  join pg_class partition on partition.oid = inhrelid
  where inhparent = ':"schema".telemetry'::regclass
) found
where bytes is not null
order by from_position
