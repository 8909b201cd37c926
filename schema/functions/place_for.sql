-- Where an RFC 6902 patch adds a value: the index in an array before whose element it goes, or null where the path ends in the key of an
-- object. Raises TM008, as of operation `index`, where there is nothing that it could be added to.
create or replace function place_for(document jsonb, path text[], index integer)
returns integer
language plpgsql
immutable
parallel safe
set search_path from current
as $$
declare
  _last    text   := path[cardinality(path)];
  _above   text[] := trim_array(path, 1);
  _kind    text   := kind_at(document, _above);
  _length  integer;
  _at      integer;
begin
  case _kind
    when 'object' then
      return null;
    when 'array' then
      _length := jsonb_array_length(document #> _above);
      _at := case _last when '-' then _length else array_index(_last, _length + 1) end;
      if _at is null then
        perform refuse_operation(index, 'index');
      end if;
      return _at;
    when 'missing', 'index' then
      perform refuse_operation(index, _kind);
    else
      perform refuse_operation(index, 'through_scalar');
  end case;
end
$$;
