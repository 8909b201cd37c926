-- Which events of a partition have something to be done about, the next ones first, and in how many ms.
select position, extract(epoch from due_at - clock_timestamp())::float8 * 1000 as due_ms
from :"schema".held_events
where subscription = $1 and partition = $2 and due_at is not null
order by due_at, position
limit $3
