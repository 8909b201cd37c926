-- A stream is named <category>-<id>: visible ASCII, 255 characters at most, the category what precedes the first "-".
-- Lengths are compared apart: counted in the pattern, they make it many times as dear.
create or replace function stream_is_valid(stream text)
returns boolean
language sql
immutable
parallel safe
as $$
  select octet_length(stream) <= 255
    and strpos(stream, '-') <= 64
    and stream ~ '^[A-Za-z][A-Za-z0-9_.:]*-[!-~]+$'
$$;
