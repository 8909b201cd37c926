-- States of the agents $1 have changed, or they are at work again: what was parked because of one of the errors $2, from or into one of them, is
-- tried again, also where somebody is about to park it.
update :"schema".sync_work
set version = version + 1, state = case when state = 'parked' then 'waiting' else state end,
  due_at = case when state = 'parked' then clock_timestamp() else due_at end
where ((state = 'parked' and failure ->> 'error' = any ($2::text[])) or claimed_until > clock_timestamp())
  and (substr(source, strpos(source, '@') + 1) = any ($1::text[]) or substr(target, strpos(target, '@') + 1) = any ($1::text[]))
