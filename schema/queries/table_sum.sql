-- The rows of a table as one number, whatever their order.
select count(*) as count, coalesce(sum(hash_record_extended(row(:columns), 0)), 0)::text as sum
from :"table"
