-- Which events of a partition are to be tried again, the next ones first, and in how many ms.
select position, extract(epoch from due_at - clock_timestamp())::float8 * 1000 as due_ms
from :"schema".held_events
where subscription = $1 and partition = $2 and state = 'retrying'
order by due_at, position
limit $3
