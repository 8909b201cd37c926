-- Where messages ($1, their ids) were sent to: their streams, from the log itself, whatever the read model has folded by now.
select id as message, stream
from :"schema".events
where id = any ($1::uuid[]) and type = 'MessageSent'
