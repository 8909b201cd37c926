-- Appends events to one stream, from plain SQL. Atomic; part of the caller's transaction where there is one.
--   events    a JSON array of { "type", "data", "id"?, "labels"?, "meta"?, "schemaVersion"? }
--   expected  'any' · 'none' (the stream must be new) · 'exists' · a version number
-- Returns a row per event. Appending the same ids again as the same append returns their first positions.
-- Raises TM002 version conflict, TM005 duplicate event, TM006 malformed event, each with its facts as JSON in DETAIL.
create or replace function append_events(stream text, events jsonb, expected text default 'any')
returns table ("position" bigint, version bigint, id uuid)
language plpgsql
volatile
security definer
set search_path from current
as $$
declare
  _expected  bigint := parse_expected(expected);
  _ids       uuid[];
  _appended  record;
begin
  perform check_events(append_events.stream, append_events.events);

  _ids := array(
    select coalesce((event.value ->> 'id')::uuid, gen_random_uuid())
    from jsonb_array_elements(append_events.events) with ordinality as event (value, nth) order by event.nth
  );

  if cardinality(_ids) > (select count(distinct given.id) from unnest(_ids) as given (id)) then
    raise exception 'an id stands twice in one append to "%"', append_events.stream
      using errcode = 'TM005', detail = jsonb_build_object('stream', append_events.stream, 'ids', _ids),
        hint = 'Give every event an id of its own, or none.';
  end if;

  select batch.* into _appended
  from (
    select
      array_agg(1 order by nth) as request,
      array_agg(1 order by nth) as head,
      array_agg(_expected order by nth) as expected,
      array_agg(value ->> 'type' order by nth) as type,
      array_agg(coalesce(value -> 'data', '{}') order by nth) as data,
      array_agg(coalesce(array(select jsonb_array_elements_text(value -> 'labels')), '{}')::text order by nth) as labels,
      array_agg(coalesce(value -> 'meta', '{}') order by nth) as meta,
      array_agg(coalesce((value ->> 'schemaVersion')::integer, 1) order by nth) as schema_version
    from jsonb_array_elements(append_events.events) with ordinality as event (value, nth)
  ) given, append_batch(array[append_events.stream], given.request, given.head, given.expected, _ids,
    given.type, given.data, given.labels, given.meta, given.schema_version, null) batch;

  if _appended.verdicts[1] = 'conflict' then
    raise exception 'stream "%" is at version %, not as expected (%)', append_events.stream, _appended.actuals[1], append_events.expected
      using errcode = 'TM002',
        detail = jsonb_build_object('stream', append_events.stream, 'expected', append_events.expected, 'actual', _appended.actuals[1]),
        hint = 'Read the stream again and decide again.';
  elsif _appended.verdicts[1] = 'duplicate' then
    raise exception 'an event with one of these ids is in the log already, and is not the same'
      using errcode = 'TM005', detail = jsonb_build_object('stream', append_events.stream, 'ids', _ids),
        hint = 'An id names one event for ever: give a new event a new id, and send a retry unchanged.';
  end if;

  return query
    select given.position, given.version, given.id
    from unnest(_appended.positions, _appended.versions, _ids) with ordinality as given (position, version, id, nth)
    order by given.nth;
end
$$;

revoke execute on function append_events from public;
