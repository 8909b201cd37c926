-- The index that a part of an RFC 6901 pointer names in an array of so many elements; null where it names none.
-- What PostgreSQL itself takes for an index is more: -1, 01, and what has spaces before it.
create or replace function array_index(part text, length integer)
returns integer
language plpgsql
immutable
strict
parallel safe
as $$
begin
  -- Up to nine digits: more do not fit an integer, nor so many elements an array.
  if part ~ '^(0|[1-9][0-9]{0,8})$' then
    if part::integer < length then
      return part::integer;
    end if;
  end if;
  return null;
end
$$;
