-- What is there above a position now; not all of it settled.
select *
from :"schema".event_rows
where position > $1
order by position
limit $2
