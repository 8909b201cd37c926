-- The document after all operations of an RFC 6902 patch, in their order. Raises TM008 where one cannot be applied: all or none are.
-- Gives what applyPatch of the library gives, and refuses what that refuses: - is only an end to add at, an index has no leading zeros,
-- a path does not lead through __proto__. The whole document is null once it is removed.
-- Whatever a path leads to is looked for first: jsonb_set and #- give back what they were given where it leads to nothing.
-- All that changes the document is in here, as every function that returned it would copy it.
create or replace function apply_patch(document jsonb, patch jsonb)
returns jsonb
language plpgsql
immutable
strict
parallel safe
set search_path from current
as $$
declare
  -- As a value in memory: what is stored would be fetched and decompressed at every look.
  _document   jsonb   := document #> '{}';
  _index      integer := 0;
  _operation  jsonb;
  _op         text;
  _path       text[];
  _from       text[];
  _value      jsonb;
  _kind       text;
  _at         integer;
begin
  if jsonb_typeof(patch) <> 'array' then
    perform refuse_operation(0, 'malformed');
  end if;

  for _operation in select operation from jsonb_array_elements(patch) with ordinality as given (operation, nth) order by nth loop
    perform check_operation(_operation, _index);
    _op := _operation ->> 'op';
    _path := pointer_path(_operation ->> 'path');
    _from := case when _op in ('move', 'copy') then pointer_path(_operation ->> 'from') else _path end;
    _value := _operation -> 'value';

    if _op <> 'add' then
      _kind := kind_at(_document, _from);
      if _kind in ('missing', 'index', 'through_scalar') then
        perform refuse_operation(_index, _kind);
      end if;
    end if;
    if _op in ('move', 'copy') then
      _value := _document #> _from;
    end if;
    if _op = 'remove' and _path = '{}' then
      _document := 'null';
    elsif _op = 'remove' or _op = 'move' and _from <> '{}' then
      _document := _document #- _from;
    end if;

    if _op = 'test' then
      if _document #> _path <> _value then
        perform refuse_operation(_index, 'test');
      end if;
    elsif _op <> 'remove' then
      if _path = '{}' then
        _document := _value;
      elsif _op = 'replace' then
        _document := jsonb_set(_document, _path, _value);
      else
        _at := place_for(_document, _path, _index);
        _document := case when _at is null then jsonb_set(_document, _path, _value)
          else jsonb_insert(_document, trim_array(_path, 1) || _at::text, _value) end;
      end if;
    end if;
    _index := _index + 1;
  end loop;
  return _document;
end
$$;
