-- Judges each request of a batch that holds a known id or an unmet expectation; heads are locked by the caller.
-- Ids come first: an expectation was true when the append succeeded the first time, and no longer is when it is sent again.
-- The same append = every id present, in the same streams and order, versions without a hole, equal type, data, labels
-- and schema version. Meta is ignored: a retry may be made under another trace.
create or replace function judge_batch(
  heads           text[],
  request         integer[],
  head            integer[],
  expected        bigint[],
  id              uuid[],
  type            text[],
  data            jsonb[],
  labels          text[],
  schema_version  integer[],
  actuals         bigint[],
  telemetry       boolean[],
  out verdicts    text[],
  out positions   bigint[],
  out versions    bigint[]
)
language plpgsql
volatile
set search_path from current
as $$
#variable_conflict use_column
begin
  with given as (
    select event.*, heads[event.head] as stream, actuals[event.head] as actual, telemetry[event.head] as telemetry
    from unnest(request, head, expected, id, type, data, labels, schema_version) with ordinality
      as event (request, head, expected, id, type, data, labels, schema_version, nth)
  ), compared as (
    select
      given.request, given.stream, given.expected, given.actual, given.nth,
      known.position, known.version,
      known.position > lag(known.position, 1, 0::bigint) over (partition by given.request order by given.nth) as in_order,
      known.version = 1 + lag(known.version, 1, known.version - 1)
        over (partition by given.request, given.stream order by given.nth) as without_hole,
      (known.stream, known.type, known.data, known.labels, known.schema_version)
        = (given.stream, given.type, given.data, given.labels::text[], given.schema_version) as equal
    from given
    left join lateral (
      select events.* from events where events.id = given.id
      union all
      select telemetry.* from telemetry where telemetry.id = given.id and given.telemetry
      limit 1
    ) known on true
  ), judged as (
    select
      compared.request,
      case
        when count(compared.position) = count(*) and bool_and(equal and in_order and without_hole) then 'repeated'
        when count(compared.position) > 0 then 'duplicate'
        when bool_or(expected >= 0 and expected <> actual or expected < 0 and actual = 0) then 'conflict'
        else 'appended'
      end as verdict
    from compared
    group by compared.request
  ), placed as (
    select
      compared.nth, judged.verdict, compared.position,
      case judged.verdict
        when 'repeated' then compared.version
        when 'appended' then compared.actual
          + row_number() over (partition by compared.stream, judged.verdict order by compared.nth)
      end as version
    from compared
    join judged on judged.request = compared.request
  )
  select
    array_agg(verdict order by nth),
    array_agg(case when verdict = 'repeated' then position end order by nth),
    array_agg(version order by nth)
  into judge_batch.verdicts, judge_batch.positions, judge_batch.versions
  from placed;
end
$$;
