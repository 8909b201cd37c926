-- Tells readers of what was appended in SQL.
select :"schema".wake()
