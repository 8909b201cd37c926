-- The columns of a table that can be written, in order.
select attribute.attname as name
from pg_attribute attribute
where attribute.attrelid = $1::regclass and attribute.attnum > 0 and not attribute.attisdropped and attribute.attgenerated = ''
order by attribute.attnum
