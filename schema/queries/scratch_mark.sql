-- What a schema says of itself; no row where it is not there.
select obj_description(oid, 'pg_namespace') as mark
from pg_namespace
where nspname = $1
