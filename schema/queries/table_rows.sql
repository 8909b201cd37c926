-- The rows of a table by key, each with its hash, in an order that is the same for every table with such keys.
declare :"cursor" no scroll cursor for
select at, key, hash
from (
  select md5(row(:key)::text) as at, row(:key)::text as key, hash_record_extended(row(:columns), 0)::text as hash
  from :"table"
) hashed
order by at collate "C", hash
