-- The keys and indexes that an RFC 6901 pointer is made of; null where it is no pointer. The whole document is at the empty path.
create or replace function pointer_path(pointer text)
returns text[]
language plpgsql
immutable
strict
parallel safe
as $$
declare
  _parts  text[];
begin
  if pointer = '' then
    return '{}';
  elsif pointer !~ '^(/([^~/]|~[01])*)+$' then
    return null;
  end if;

  _parts := (string_to_array(pointer, '/'))[2:];
  if strpos(pointer, '~') > 0 then
    for nth in 1 .. cardinality(_parts) loop
      _parts[nth] := replace(replace(_parts[nth], '~1', '/'), '~0', '~');
    end loop;
  end if;
  return _parts;
end
$$;
