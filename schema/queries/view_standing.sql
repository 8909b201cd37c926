-- How a public view ($1) stands to the table that it is to show ($2): whether it can be replaced as it is, and what hangs on it.
select
  shown.relkind::text as kind,
  coalesce(shown.reloptions, '{}') as options,
  not exists (
    select
    from (
      select row_number() over (order by attnum) as place, attname, atttypid, atttypmod, attcollation
      from pg_attribute where attrelid = shown.oid and attnum > 0 and not attisdropped
    ) old
    left join (
      select row_number() over (order by attnum) as place, attname, atttypid, atttypmod, attcollation
      from pg_attribute where attrelid = to_regclass($2) and attnum > 0 and not attisdropped
    ) new using (place)
    where (old.attname, old.atttypid, old.atttypmod, old.attcollation)
      is distinct from (new.attname, new.atttypid, new.atttypmod, new.attcollation)
  ) as replaceable,
  coalesce((
    select array_agg(distinct coalesce(rule.ev_class::regclass::text, pg_describe_object(used.classid, used.objid, 0)))
    from pg_depend used
    left join pg_rewrite rule on used.classid = 'pg_rewrite'::regclass and rule.oid = used.objid
    where used.refclassid = 'pg_class'::regclass and used.refobjid = shown.oid and used.deptype = 'n'
      and rule.ev_class is distinct from shown.oid
  ), '{}') as dependents
from pg_class shown
where shown.oid = to_regclass($1)
