select sum(pg_total_relation_size(oid))::float8 as bytes
from pg_class
where relkind = 'r' and relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema')
