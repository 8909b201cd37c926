-- What stands in a schema by itself, whatever else goes with it, in an order in which it can be dropped; and whether this
-- transaction has made it.
select
  made.classid::integer as class, made.objid::bigint as object,
  regexp_replace(named.type, '^composite ', '') as type, named.identity, made.xmin = pg_current_xact_id()::xid as is_ours
from pg_depend made, pg_identify_object(made.classid, made.objid, 0) named
where made.refclassid = 'pg_namespace'::regclass and made.refobjid = to_regnamespace($1) and made.deptype = 'n'
order by
  array_position(array['view', 'materialized view', 'table', 'sequence', 'function'], named.type) nulls last, named.type, made.objid
