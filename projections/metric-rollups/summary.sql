-- What was measured of an agent ($1) and a metric ($2), where given, in the last $3 hours: in each 'minute' or 'hour' ($4), or in all of that time
-- together; so many rows at most ($5). Whole hours are read from hours, what is before the first of them from minutes. A quantile is
-- that of the bin that its rank lies in, as fold.sql has bins: 0.98 times the bin's upper end is within 2 % of all that is in it.
with part as (
  select agent_id, metric_name, minute as time, count, sum, min, max, sketch
  from :"schema".metric_minutes
  where ($1::text is null or agent_id = $1)
    and ($2::text is null or metric_name = $2)
    and minute >= date_bin('1 minute', now() - make_interval(hours => $3), '0001-01-01T00:00:00Z')
    and ($4::text is not distinct from 'minute' or minute < date_bin('1 hour', now() - make_interval(hours => $3 - 1), '0001-01-01T00:00:00Z'))
  union all
  select agent_id, metric_name, hour, count, sum, min, max, sketch
  from :"schema".metric_hours
  where ($1::text is null or agent_id = $1)
    and ($2::text is null or metric_name = $2)
    and hour >= date_bin('1 hour', now() - make_interval(hours => $3 - 1), '0001-01-01T00:00:00Z')
    and $4 is distinct from 'minute'
),
dated as (
  select *, coalesce(date_bin(('1 ' || $4)::interval, time, '0001-01-01T00:00:00Z'), '-infinity') as bucket from part
),
-- From here on a row of the summary goes by its number, which is faster to group by than what it is of.
numbered as (
  select *, dense_rank() over (order by agent_id, metric_name, bucket) as nth from dated
),
whole as (
  select nth, agent_id, metric_name, bucket, sum(count) as count, sum(sum) as sum, min(min) as min, max(max) as max
  from numbered
  where nth <= $5
  group by nth, agent_id, metric_name, bucket
),
elements as (
  select nth, unnest(sketch) as element from numbered where nth <= $5
),
bins as (
  select nth, element >> 40 as bin, sum((element & 1099511627775)::float8) as amount
  from elements
  group by nth, bin
),
-- The greatest double is e^709.78.
ranked as (
  select
    nth,
    case when bin = 0 then 0 else sign(bin) * exp(least((abs(bin) - 20000) * ln(1.02 / 0.98)::float8 + ln(0.98)::float8, 709.78)) end as value,
    sum(amount) over (partition by nth order by bin) as rank,
    sum(amount) over (partition by nth) as total
  from bins
),
quantiles as (
  select
    nth,
    min(value) filter (where rank >= ceil(0.5 * total)) as p50,
    min(value) filter (where rank >= ceil(0.95 * total)) as p95,
    min(value) filter (where rank >= ceil(0.99 * total)) as p99
  from ranked
  group by nth
)
select
  agent_id as agent, metric_name as name, nullif(bucket, '-infinity') as bucket, (sum / count)::text as avg, min, max, count::float8,
  greatest(min, least(max, p50)) as p50, greatest(min, least(max, p95)) as p95, greatest(min, least(max, p99)) as p99
from whole
join quantiles using (nth)
order by nth
