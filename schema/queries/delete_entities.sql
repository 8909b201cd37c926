-- The rows that are no more after a batch.
delete from :"table"
where :"key" = any ($1)
