-- What metric rules ($1, a JSON list) find of each agent: the last minute in which it was measured, and since which one all of them have been beyond
-- the threshold. What was not measured for $2 minutes, or as many as a rule asks for where these are more, is not known any more. Only what is
-- met or open is given. A quantile is that of the bin that its rank lies in, as projections/metric-rollups/fold.sql has bins.
with wanted as (
  select
    rule, open, condition ->> 'metric' as metric, condition ->> 'agent' as agent, condition ->> 'of' as of,
    condition ->> 'is' = 'above' as is_above, (condition ->> 'threshold')::numeric as threshold,
    make_interval(mins => (condition ->> 'forMinutes')::integer) as lasting,
    make_interval(mins => greatest((condition ->> 'forMinutes')::integer, $2::integer)) as fresh,
    case condition ->> 'of' when 'p50' then 0.5 when 'p95' then 0.95 when 'p99' then 0.99 end as fraction
  from jsonb_to_recordset($1::jsonb) as one (rule text, condition jsonb, open jsonb)
)
select rule, subject, value::text as value, since, is_met as "isMet"
from (
  select
    wanted.rule, wanted.open, run.subject, run.value, coalesce(run.since, run.last) as since,
    run.since is not null and run.last - run.since >= wanted.lasting as is_met
  from wanted
  cross join lateral (
    select
      agent_id as subject, max(minute) as last, (array_agg(value order by minute desc))[1] as value,
      min(minute) filter (where minute > coalesce(last_within, '-infinity')) as since
    from (
      select *, max(minute) filter (where not is_beyond) over (partition by agent_id) as last_within
      from (
        select
          agent_id, minute, value,
          case when wanted.is_above then value > wanted.threshold else value < wanted.threshold end as is_beyond
        from (
          select
            agent_id, minute,
            case wanted.of
              when 'avg' then summed.sum / summed.count
              when 'min' then summed.min::text::numeric
              when 'max' then summed.max::text::numeric
              else (
                select greatest(
                  summed.min,
                  least(
                    summed.max,
                    case when bin = 0 then 0
                      else sign(bin) * exp(least((abs(bin) - 20000) * ln(1.02 / 0.98)::float8 + ln(0.98)::float8, 709.78))
                    end
                  )
                )::text::numeric
                from (
                  select element >> 40 as bin, sum(element & 1099511627775) over (order by element) as rank
                  from unnest(summed.sketch) element
                ) ranked
                where rank >= ceil(wanted.fraction * summed.count)
                order by bin
                limit 1
              )
            end as value
          from :"schema".metric_minutes summed
          where metric_name = wanted.metric and (wanted.agent is null or agent_id = wanted.agent)
            and minute >= date_bin('1 minute', now(), '0001-01-01T00:00:00Z') - wanted.fresh - wanted.lasting
            and minute <= now()
        ) measured
      ) judged
    ) marked
    group by agent_id, last_within
    having max(minute) >= date_bin('1 minute', now(), '0001-01-01T00:00:00Z') - wanted.fresh
  ) run
) found
where is_met or open ? subject
