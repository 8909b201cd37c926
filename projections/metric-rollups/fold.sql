-- Sums up measurements by the minute and by the hour in which they were taken, however late they come. What is no finite number, or has no
-- name, as SQL may have appended it, or after a redaction, was not measured.
--
-- A sketch tells quantiles with a relative error of 2 % (DDSketch: Masson, Rim, Lee, PVLDB 12(12), 2019). It has bins, and how many values are in each: with
-- g = 1.02 / 0.98, bin n > 0 is for values from g^(n - 20001) to g^(n - 20000), bin -n for the same ones below zero, bin 0 for zero. 20000 leaves room for
-- the least number that a double holds, so that bins are in the order of their values. A bin with its count is one number: bin * 2^40 + count.
--
-- Most batches have one measurement of a row's: it is put into its place in the sketch; several are merged.
--
-- A measurement is summed up with those of its part of the log alone: those whose positions one telemetry partition takes. What was told of the hours of a
-- part that is over, before retention dropped it, takes the place of what was summed up, and comes to the same.
--
-- It is all the same in which order measurements come, and in which batches: counts are whole numbers, sums are of decimals, as JavaScript writes doubles.
with said as (
  select
    substr(event.stream, strpos(event.stream, '-') + 1) as agent_id,
    left(event.data ->> 'name', 255) as metric_name,
    (event.position / :"schema".telemetry_width())::integer as part,
    date_bin('1 minute', coalesce(:"schema".occurred_at(event.data), event.recorded_at), '0001-01-01T00:00:00Z') as minute,
    case when jsonb_typeof(event.data -> 'value') = 'number' then (event.data ->> 'value')::numeric end as number
  from :batch event
  where event.type = 'MetricRecorded' and event.stream like 'metric-%' and jsonb_typeof(event.data -> 'name') = 'string'
),
-- What a double holds, from its least to its greatest; what is beyond, JavaScript takes for zero or for no number.
measured as (
  select agent_id, metric_name, part, minute, case when abs(number) < 2.4703282292062328e-324 then 0 else number end::float8 as value
  from said
  where abs(number) <= 1.7976931348623158e308
),
counted as (
  select
    agent_id, metric_name, part, minute,
    case when value = 0 then 0 else sign(value) * (ceil(ln(abs(value)) / ln(1.02 / 0.98)) + 20000) end::bigint as bin,
    count(*) as count, sum(value::text::numeric) as sum, min(value) as min, max(value) as max
  from measured
  group by agent_id, metric_name, part, minute, bin
),
minutes as (
  insert into :"metric_minutes" as kept (agent_id, metric_name, minute, part, count, sum, min, max, sketch)
  select agent_id, metric_name, minute, part, sum(count), sum(sum), min(min), max(max), array_agg((bin << 40) + count order by bin)
  from counted
  group by agent_id, minute, metric_name, part
  on conflict (agent_id, minute, metric_name, part) do update
  set count = kept.count + excluded.count, sum = kept.sum + excluded.sum,
    min = least(kept.min, excluded.min), max = greatest(kept.max, excluded.max),
    sketch = (
      select case
        when cardinality(excluded.sketch) > 1 then (
          select array_agg((bin << 40) + count order by bin)
          from (
            select element >> 40 as bin, sum(element & 1099511627775)::bigint as count
            from unnest(kept.sketch || excluded.sketch) as element
            group by bin
          ) merged
        )
        when kept.sketch[place] >> 40 = excluded.sketch[1] >> 40
          then kept.sketch[1 : place - 1] || (kept.sketch[place] + (excluded.sketch[1] & 1099511627775)) || kept.sketch[place + 1 :]
        else kept.sketch[1 : place] || excluded.sketch || kept.sketch[place + 1 :]
      end
      from width_bucket(excluded.sketch[1] | 1099511627775, kept.sketch) as place
    )
),
hourly as (
  select
    agent_id, metric_name, date_bin('1 hour', minute, '0001-01-01T00:00:00Z') as hour, part, bin,
    sum(count)::bigint as count, sum(sum) as sum, min(min) as min, max(max) as max
  from counted
  group by agent_id, metric_name, hour, part, bin
),
-- Of a part that was over when it was told, as whoever tells it knows; anything else is nonsense that SQL may have appended.
told as (
  select distinct on (agent_id, metric_name, hour, part) *
  from (
    select
      event.position, nth,
      left(said ->> 'agent', 255) as agent_id,
      left(said ->> 'name', 255) as metric_name,
      date_bin('1 hour', :"schema".occurred_at(jsonb_build_object('occurredAt', said -> 'hour')), '0001-01-01T00:00:00Z') as hour,
      substr(event.stream, length('metric_rollup-') + 1)::integer as part,
      said
    from :batch event
    cross join lateral jsonb_path_query(event.data, 'lax $.hours[*] ? (
      @.agent.type() == "string" && @.name.type() == "string" && @.hour.type() == "string"
      && @.count >= 1 && @.count < 1000000000000 && @.sum like_regex "^-?[0-9]+([.][0-9]+)?$"
      && @.min >= -1.7976931348623157e308 && @.max <= 1.7976931348623157e308 && @.min <= @.max
      && @.bins.type() == "array" && @.counts.type() == "array" && @.bins.size() == @.counts.size()
      && !exists(@.bins[*] ? (@.type() != "number")) && !exists(@.counts[*] ? (@.type() != "number"))
      && !exists(@.bins[*] ? (!(@ >= -50000 && @ <= 50000))) && !exists(@.counts[*] ? (!(@ >= 1 && @ < 1000000000000)))
    )') with ordinality as line (said, nth)
    where event.type = 'MetricsRolledUp' and event.stream ~ '^metric_rollup-(0|[1-9][0-9]{0,8})$'
  ) every
  where hour is not null and part < position / :"schema".telemetry_width() and length(said ->> 'sum') <= 2000
  order by agent_id, metric_name, hour, part, position desc, nth desc
),
set_hours as (
  insert into :"metric_hours" (agent_id, metric_name, hour, part, count, sum, min, max, sketch)
  select
    agent_id, metric_name, hour, part, (said ->> 'count')::numeric::bigint, (said ->> 'sum')::numeric,
    (said ->> 'min')::float8, (said ->> 'max')::float8,
    array(
      select (bin::bigint << 40) + count::bigint
      from unnest(
        array(select jsonb_array_elements_text(said -> 'bins'))::numeric[],
        array(select jsonb_array_elements_text(said -> 'counts'))::numeric[]
      ) as element (bin, count)
      order by bin
    )
  from told
  on conflict (agent_id, hour, metric_name, part) do update
  set count = excluded.count, sum = excluded.sum, min = excluded.min, max = excluded.max, sketch = excluded.sketch
)
insert into :"metric_hours" as kept (agent_id, metric_name, hour, part, count, sum, min, max, sketch)
select agent_id, metric_name, hour, part, sum(count), sum(sum), min(min), max(max), array_agg((bin << 40) + count order by bin)
from hourly
where not exists (select from told where (told.agent_id, told.metric_name, told.hour, told.part) = (hourly.agent_id, hourly.metric_name, hourly.hour, hourly.part))
group by agent_id, hour, metric_name, part
on conflict (agent_id, hour, metric_name, part) do update
set count = kept.count + excluded.count, sum = kept.sum + excluded.sum,
  min = least(kept.min, excluded.min), max = greatest(kept.max, excluded.max),
  sketch = (
    select case
      when cardinality(excluded.sketch) > 1 then (
        select array_agg((bin << 40) + count order by bin)
        from (
          select element >> 40 as bin, sum(element & 1099511627775)::bigint as count
          from unnest(kept.sketch || excluded.sketch) as element
          group by bin
        ) merged
      )
      when kept.sketch[place] >> 40 = excluded.sketch[1] >> 40
        then kept.sketch[1 : place - 1] || (kept.sketch[place] + (excluded.sketch[1] & 1099511627775)) || kept.sketch[place + 1 :]
      else kept.sketch[1 : place] || excluded.sketch || kept.sketch[place + 1 :]
    end
    from width_bucket(excluded.sketch[1] | 1099511627775, kept.sketch) as place
  )
