-- What a fold calls that may give other rows when it is folded again: what is volatile, and what looks at more than its
-- arguments, but for the log's own. PostgreSQL's own functions are not among them, since nothing is noted to depend on those.
-- $1 is a function that has the fold as its parsed body, $2 the log's schema.
select made.oid::regprocedure::text as name
from pg_catalog.pg_depend used
left join pg_catalog.pg_operator operator
  on used.refclassid = 'pg_catalog.pg_operator'::regclass and operator.oid = used.refobjid
join pg_catalog.pg_proc made
  on made.oid = case used.refclassid when 'pg_catalog.pg_proc'::regclass then used.refobjid else operator.oprcode::oid end
where used.classid = 'pg_catalog.pg_proc'::regclass
  and used.objid = $1::text::regprocedure
  and case made.provolatile when 'i' then false when 's' then made.pronamespace <> $2::text::regnamespace else true end
order by 1
limit 1
