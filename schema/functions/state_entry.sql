-- A key of a state and its value as a document, for an index of contents.
create or replace function state_entry(tier text, key text, value jsonb)
returns jsonb
language sql
immutable
strict
parallel safe
as $$
  select jsonb_set(jsonb_set('{}', array[tier], '{}'), array[tier, key], value)
$$;
