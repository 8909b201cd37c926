-- What was parked because of one of the errors $2, from or into states of the agents $1, is tried again.
update :"schema".sync_work
set state = 'waiting', due_at = clock_timestamp()
where state = 'parked' and failure ->> 'error' = any ($2::text[])
  and (substr(source, strpos(source, '@') + 1) = any ($1::text[]) or substr(target, strpos(target, '@') + 1) = any ($1::text[]))
