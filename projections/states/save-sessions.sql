-- From which versions on branches have sessions, or none.
insert into :"state_sessions" (branch, version, session, ends_at)
select branch, version, session, ends_at
from jsonb_to_recordset($1::jsonb) as one (branch bigint, version bigint, session text, ends_at timestamptz)
on conflict (branch, version) do nothing
