-- A million agents and as many sessions. A third of the agents are stopped, one in five hundred fails; each can do what all can, and one thing in a thousand.
insert into agents__1 (agent_id, name, type, state, capabilities, started_at, stopped_at, version, created_at, updated_at, recorded_at)
select 'a' || n, 'Agent ' || n, 't' || n % 50, case when n % 3 = 0 then 'stopped' when n % 500 = 1 then 'failing' else 'running' end,
  array['common', 'c' || n % 1000], now(), case when n % 3 = 0 then now() end, 2, now(), now(), now()
from generate_series(1, 1000000) n;

-- One session in ten is active, and none of these is over: the engine would say so beside the measure.
insert into session_records__1
select 's' || n, n, 2, 'u' || n % 1000, 'a' || n / 1000 % 1000, '{"context": "checkout"}',
  case when n % 10 = 0 then 'active' when n % 2 = 0 then 'expired' else 'ended' end, 86400000, now(), now(), now() + interval '1 day', null, null, now()
from generate_series(1, 1000000) n;
