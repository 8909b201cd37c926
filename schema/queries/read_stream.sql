-- One page of a stream, upwards from a version.
select *
from :"schema".event_rows
where stream = $1 and version >= $2 and version <= $3
order by version
limit $4
