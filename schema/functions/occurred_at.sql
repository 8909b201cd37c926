-- When an event happened by its caller's clock, where its data says so with a zone; a text without one, or 'now', would
-- mean another time each time it is read. Inlined into the folds that call it, which a search_path of its own would prevent.
create or replace function occurred_at(data jsonb)
returns timestamptz
language sql
stable
as $$
  select case when data ->> 'occurredAt' ~ '^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$'
    then (data ->> 'occurredAt')::timestamptz end
$$;
