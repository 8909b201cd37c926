-- The rows of a batch's keys, as they are before it.
select *
from :"table"
where :"key" = any ($1)
for update
