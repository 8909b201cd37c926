-- The first statement of every transaction of a rebuild: no row means that the try was given up, and it writes nothing.
-- What was acknowledged must outlast a crash of the server: nobody writes it again. And the server must not go on for long with what
-- nobody waits for any more, where it can tell: the next try waits for that.
select
  case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'local', true) end,
  case when version() ~ 'linux|darwin|bsd' then set_config('client_connection_check_interval', '1s', true) end
from :"schema".generations
where projection = $1 and generation = $2 and build = $3 and state = 'building'
for key share
