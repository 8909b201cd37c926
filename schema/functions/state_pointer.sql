-- The RFC 6901 pointer of a key of a state.
create or replace function state_pointer(tier text, key text)
returns text
language sql
immutable
strict
parallel safe
as $$
  select '/' || tier || '/' || replace(replace(key, '~', '~0'), '/', '~1')
$$;
