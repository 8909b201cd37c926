-- The hash that a state had at a version of its stream, as the last event that tells one says; null where none did.
create or replace function state_hash_at(stream text, version bigint)
returns text
language plpgsql
stable
set search_path from current
as $$
begin
  return (
    select event.data ->> 'hash'
    from events event
    where event.stream = state_hash_at.stream and event.version <= state_hash_at.version and event.data ? 'hash'
    order by event.version desc
    limit 1
  );
end
$$;
