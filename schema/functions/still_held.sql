-- Whether one of these holders still holds the log's lock. A backend that is about to release it, after a commit in
-- two phases, is listed for a moment as b/0 instead of b/n.
create or replace function still_held(holders text[])
returns boolean
language plpgsql
volatile
set search_path from current
as $$
begin
  return exists (
    select from log_holders() held
    where held.holder = any (holders)
       or held.holder like '%/0' and exists (
         select from unnest(holders) as was (holder)
         where split_part(was.holder, '/', 1) = split_part(held.holder, '/', 1)
       )
  );
end
$$;
