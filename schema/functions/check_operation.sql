-- Raises TM008 where operation `index` of a patch is none of RFC 6902, or leads through __proto__, whatever the document is.
create or replace function check_operation(operation jsonb, index integer)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $$
declare
  _op     text    := operation ->> 'op';
  _moves  boolean := coalesce(_op in ('move', 'copy'), false);
  _path   text[]  := pointer_path(operation ->> 'path');
  _from   text[]  := case when _moves then pointer_path(operation ->> 'from') else _path end;
begin
  if _path is null or _from is null or '__proto__' = any (_path || _from)
    or not coalesce(_moves or _op = 'remove' or _op in ('add', 'replace', 'test') and operation ? 'value', false)
    -- Into itself.
    or _op = 'move' and cardinality(_from) < cardinality(_path) and _path[:cardinality(_from)] = _from
  then
    perform refuse_operation(index, 'malformed');
  end if;
end
$$;
