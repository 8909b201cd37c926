-- A stream is named <category>-<id>: visible ASCII, 255 characters at most, the category what precedes the first "-".
create or replace function stream_is_valid(stream text)
returns boolean
language sql
immutable
parallel safe
as $$
  select length(stream) <= 255 and stream ~ '^[A-Za-z][A-Za-z0-9_.:]{0,62}-[\x21-\x7e]+$'
$$;
