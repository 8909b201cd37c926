-- The words of an array, with a space between: for an index, which array_to_string may not be in, since of other types than text it may change.
create or replace function joined(words text[])
returns text
language sql
immutable
strict
parallel safe
as $$
  select array_to_string(words, ' ')
$$;
