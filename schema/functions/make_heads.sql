-- Makes the heads that are missing, at version 0, in sorted order; waits for those that somebody else is making.
-- Raises TM006 where a name is malformed: no stream comes into being but here.
create or replace function make_heads(heads text[])
returns void
language plpgsql
volatile
set search_path from current
as $$
declare
  _wrong text;
begin
  select given.stream into _wrong
  from unnest(heads) as given (stream)
  where not coalesce(stream_is_valid(given.stream), false)
  limit 1;

  if found then
    raise exception 'stream name "%" is malformed', left(_wrong, 300)
      using errcode = 'TM006', detail = jsonb_build_object('stream', left(_wrong, 300)),
        hint = 'A stream is <category>-<id>, up to 255 visible ASCII characters.';
  end if;

  insert into streams (stream, version, telemetry)
  select given.stream, 0, coalesce(kind.telemetry, false)
  from log, unnest(heads) as given (stream)
  left join categories kind on kind.category = split_part(given.stream, '-', 1)
  order by given.stream
  on conflict do nothing;
end
$$;
