-- Raises TM006 where a stream's name or an event is malformed.
create or replace function check_events(stream text, events jsonb)
returns void
language plpgsql
stable
set search_path from current
as $$
declare
  _wrong  text;
begin
  _wrong := case
    when stream is null or not stream_is_valid(stream) then
      format('stream name "%s" is malformed', stream)
    when jsonb_typeof(events) is distinct from 'array' or jsonb_array_length(events) = 0 then
      'events must be a JSON array of at least one event'
    else (
      select format('event %s is malformed', event.nth)
      from jsonb_array_elements(events) with ordinality as event (value, nth)
      where not coalesce(jsonb_typeof(event.value) = 'object'
        and jsonb_typeof(event.value -> 'type') = 'string'
        and octet_length(event.value ->> 'type') <= 128
        and (event.value ->> 'type') ~ '^[!-~]+$'
        and (not event.value ? 'id' or jsonb_typeof(event.value -> 'id') = 'string'
          and (event.value ->> 'id') ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
        and labels_are_valid(coalesce(event.value -> 'labels', '[]'))
        and jsonb_typeof(coalesce(event.value -> 'meta', '{}')) = 'object'
        and (not event.value ? 'schemaVersion' or jsonb_typeof(event.value -> 'schemaVersion') = 'number'
          and (event.value ->> 'schemaVersion') ~ '^[1-9][0-9]{0,8}$'), false)
      limit 1
    )
  end;

  if _wrong is not null then
    raise exception '%', _wrong
      using errcode = 'TM006', detail = jsonb_build_object('stream', stream),
        hint = 'A stream is <category>-<id>, up to 255 visible ASCII characters; an event is {"type": …, "data": …}.';
  end if;
end
$$;
