-- An engine, if it is alive.
select engine, application, host, pid, process
from :"schema".engines
where engine = $1 and alive_until > clock_timestamp()
