-- The events of one stream, by version: strongly consistent, up to the stream's own head.
create or replace function read_stream(
  stream        text,
  from_version  bigint  default 1,
  to_version    bigint  default null,
  batch         integer default null,
  backwards     boolean default false
)
returns setof log_events
language plpgsql
stable
set search_path from current
as $$
begin
  if backwards then
    return query
      select * from log_events event
      where event.stream = read_stream.stream
        and event.version >= from_version
        and (to_version is null or event.version <= to_version)
      order by event.version desc
      limit batch;
  else
    return query
      select * from log_events event
      where event.stream = read_stream.stream
        and event.version >= from_version
        and (to_version is null or event.version <= to_version)
      order by event.version
      limit batch;
  end if;
end
$$;
