-- Holds a try's row, which is about to go live; none where it was given up. Its commit must outlast a crash.
select case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'local', true) end
from :"schema".generations
where projection = $1 and generation = $2 and build = $3 and state = 'building'
for update
