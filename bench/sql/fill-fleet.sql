-- A hundred thousand agents that beat, one in a hundred of them late and one in a thousand lost; and what a hundred agents measured of ten metrics every thirty seconds,
-- summed up by the minute and the hour, for a little more than a day.
insert into agent_health__1 (agent_id, standing, health, since, interval_ms, is_promised, last_beat_at, heard, heard_at, judged, due_at, recorded_at)
select 'a' || n, 'watched', case when n % 1000 = 0 then 'lost' when n % 100 = 0 then 'late' else 'healthy' end,
  now(), 60000, true, now(), n, now(), n, now() + interval '1 day', now()
from generate_series(1, 100000) n;

insert into agent_health_counts__1 (health, agents)
select health, count(*) from agent_health__1 group by health
on conflict (health) do update set agents = excluded.agents;

insert into metric_minutes__1 (agent_id, metric_name, minute, part, count, sum, min, max, sketch)
select 'a' || agent, 'm' || metric, date_trunc('minute', now()) - minute * interval '1 minute', 0, 2, 100, 40, 60,
  array[((20180 + minute % 7)::bigint << 40) + 1, ((20200 + minute % 9)::bigint << 40) + 1]
from generate_series(1, 100) agent, generate_series(1, 10) metric, generate_series(0, 1500) minute;

insert into metric_hours__1 (agent_id, metric_name, hour, part, count, sum, min, max, sketch)
select 'a' || agent, 'm' || metric, date_trunc('hour', now()) - hour * interval '1 hour', 0, 120, 6000, 1, 100,
  (select array_agg(((20100 + hour % 5 + bin)::bigint << 40) + 3 order by bin) from generate_series(1, 40) bin)
from generate_series(1, 100) agent, generate_series(1, 10) metric, generate_series(0, 26) hour;
