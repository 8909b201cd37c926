-- Which of these streams no other transaction holds now.
select stream
from :"schema".streams
where stream = any ($1)
for update skip locked
