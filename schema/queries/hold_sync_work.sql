-- What a link has to bring is held, or not any more.
update :"schema".sync_work
set state = case when $2 then 'held' else 'waiting' end
where link = $1 and state = case when $2 then 'waiting' else 'held' end
