-- Raises TM014 where an event's data is more than the library puts into one event.
create or replace function check_event_size(stream text, data jsonb)
returns void
language plpgsql
immutable
as $$
declare
  _most_bytes  constant integer := 1024 * 1024;
  _bytes       integer := octet_length(data::text);
begin
  if _bytes > _most_bytes then
    raise exception 'an event of stream "%" would hold % bytes, and may hold %', stream, _bytes, _most_bytes
      using errcode = 'TM014', detail = jsonb_build_object('stream', stream, 'bytes', _bytes, 'most', _most_bytes),
        hint = 'The library does the same in several events.';
  end if;
end
$$;
