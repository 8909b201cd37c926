-- The sums of part $1 of the log by agent, hour and metric, those after ($2, $3, $4), $5 at most.
select
  agent_id as agent, metric_name as name, to_char(hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as hour,
  count::float8, sum::text, min, max,
  array(select (element >> 40)::float8 from unnest(sketch) with ordinality as bin (element, nth) order by nth) as bins,
  array(select (element & 1099511627775)::float8 from unnest(sketch) with ordinality as bin (element, nth) order by nth) as counts
from :"schema".metric_hours
where part = $1 and (agent_id, hour, metric_name) > ($2, $3::timestamptz, $4)
order by agent_id, hour, metric_name
limit $5
