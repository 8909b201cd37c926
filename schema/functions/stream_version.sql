-- The version of a stream: the number of its last event, 0 where it does not exist.
create or replace function stream_version(stream text)
returns bigint
language plpgsql
stable
set search_path from current
as $$
begin
  return coalesce((select head.version from streams head where head.stream = stream_version.stream), 0);
end
$$;
