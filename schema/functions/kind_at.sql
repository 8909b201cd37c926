-- What is at a path of a document, as jsonb_typeof says it, or why nothing is: an object has no such key (missing), an array no such index
-- (index), or the path leads on below what is neither (through_scalar).
create or replace function kind_at(document jsonb, path text[])
returns text
language plpgsql
immutable
strict
parallel safe
set search_path from current
as $$
declare
  _kind  text;
  _at    jsonb;
begin
  -- One look, without a copy of all that the path leads through, unless some part is an index for PostgreSQL and none for RFC 6901.
  if array_to_string(path, '/') !~ '(^|/)(\s+|\s*[-+]|0)[0-9]' then
    _kind := jsonb_typeof(document #> path);
    if _kind is not null then
      return _kind;
    end if;
  end if;

  _at := document;
  for nth in 1 .. cardinality(path) loop
    case jsonb_typeof(_at)
      when 'object' then
        if not _at ? path[nth] then
          return 'missing';
        end if;
        _at := _at -> path[nth];
      when 'array' then
        _at := _at -> array_index(path[nth], jsonb_array_length(_at));
        if _at is null then
          return 'index';
        end if;
      else
        return 'through_scalar';
    end case;
  end loop;
  return jsonb_typeof(_at);
end
$$;
