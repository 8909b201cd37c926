-- What was told last of the sums in a stream ($1); no row where nothing was.
select version::float8, (data ->> 'isLast')::boolean as "isLast", data -> 'hours' -> -1 as last
from :"schema".events
where stream = $1
order by version desc
limit 1
