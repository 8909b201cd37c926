-- Where a branch begins: the event whose position is its number.
select stream, version
from :"schema".events
where position = $1 and type in ('StateCreated', 'StateBranched')
