-- A million rows in each read model that has lists, of a thousand agents, users, types and models, as if one came after the other, two
-- milliseconds apart: what is asked for is rare among all there is.
insert into agent_heartbeats__1
select n, 'a' || n % 1000, now() - make_interval(secs => (1000000 - n) / 500.0), 'busy', 0, '{"cpu": 0.5}', now(), null, now()
from generate_series(1, 1000000) n;

insert into performance_metrics__1
select n, 'a' || n % 1000, 'm' || n / 1000 % 100, n % 977, 'ms', now() - make_interval(secs => (1000000 - n) / 500.0), null, null, now()
from generate_series(1, 1000000) n;

insert into agent_communications__1
select n, gen_random_uuid(), 'a' || n % 1000, case when n % 20 > 0 then 'a' || n / 7 % 1000 end, 't' || n % 50, '{"invoice": 42}', 'medium', null,
  now() - make_interval(secs => (1000000 - n) / 500.0), case when n % 10 > 0 then 'acknowledged' else 'sent' end, 0, null, now()
from generate_series(1, 1000000) n;

insert into agent_acknowledgements__1
select 'a7', id, now() from agent_communications__1 where to_agent is null and id < 999000;

insert into agent_inboxes__1
select '', count(*), 0, 0 from agent_communications__1 where to_agent is null
union all
select 'a7', 0, 0, count(*) from agent_acknowledgements__1;

insert into help_requests__1
select n, 'r-' || n, 'u' || n % 1000, 'How?', null, case when n % 100 = 0 then 'pending' else 'closed' end,
  case when n % 50 = 0 then 'critical' else 'medium' end, 1, now(), now(), null, null, now()
from generate_series(1, 1000000) n;

insert into llm_conversations__1
select n, 'c-' || n / 20, 'a' || n % 1000, 'Why?', 'Because.', 'l' || n / 1000 % 10, null, 1, 1, 2, 0.5, 3,
  now() - make_interval(secs => (1000000 - n) / 500.0), null, null, now()
from generate_series(1, 1000000) n;

insert into system_events__1
select n, 'e' || n / 1000 % 100, '{"free": 0}', 'a' || n % 1000, now() - make_interval(secs => (1000000 - n) / 500.0),
  case when n % 1000 = 0 then 'CRITICAL' when n % 100 = 0 then 'ERROR' else 'INFO' end, null, now()
from generate_series(1, 1000000) n;
