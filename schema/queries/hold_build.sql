-- The first statement of every transaction of a rebuild: no row means that the try was given up, and it writes nothing.
-- What was acknowledged must outlast a crash of the server: nobody writes it again.
select case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'local', true) end
from :"schema".generations
where projection = $1 and generation = $2 and build = $3 and state = 'building'
for key share
