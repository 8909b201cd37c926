-- Which of these streams exist, and whether no other transaction holds them now.
with free as materialized (
  select head.stream
  from :"schema".streams head
  where head.stream = any ($1)
  for update skip locked
)
select head.stream, free.stream is not null as free
from :"schema".streams head
left join free on free.stream = head.stream
where head.stream = any ($1)
