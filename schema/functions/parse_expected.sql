-- The expected version as append_batch takes it: null any, -1 exists, else the exact version (none is 0).
create or replace function parse_expected(expected text)
returns bigint
language plpgsql
immutable
as $$
begin
  return case expected
    when 'any' then null
    when 'none' then 0
    when 'exists' then -1
    else expected::bigint
  end;
exception when invalid_text_representation then
  raise exception 'expected version "%" is not one', expected
    using errcode = 'TM006', detail = jsonb_build_object('expected', expected),
      hint = 'Give any, none, exists, or a version number.';
end
$$;
