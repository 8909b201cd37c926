-- Makes the heads that are missing, at version 0, in sorted order; waits for those that somebody else is making.
create or replace function make_heads(heads text[])
returns void
language plpgsql
volatile
set search_path from current
as $$
begin
  insert into streams (stream, version, telemetry)
  select given.stream, 0, coalesce(kind.telemetry, false)
  from log, unnest(heads) as given (stream)
  left join categories kind on kind.category = split_part(given.stream, '-', 1)
  order by given.stream
  on conflict do nothing;
end
$$;
