-- The stream of a branch of an agent's state.
create or replace function state_stream(agent text, branch text)
returns text
language sql
immutable
parallel safe
as $$
  select 'state-' || branch || '@' || agent
$$;
