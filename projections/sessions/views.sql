-- Sessions as they are at this moment: one whose time is over is expired, whether an event says so by now or not.
create or replace view :"home".sessions as
select
  session_id, id, version, user_id, agent_id, data,
  case when status = 'active' and expires_at <= now() then 'expired' else status end as status,
  ttl_ms, created_at, touched_at, expires_at,
  case when status = 'active' and expires_at <= now() then expires_at else ended_at end as ended_at,
  occurred_at, recorded_at
from :"home".session_records;
comment on view :"home".sessions is 'Every session of a user or an agent as it is now. The session tier of an agent''s state is another thing: state_sessions.';
