-- The expected version as append_batch takes it: null any, -1 exists, else the exact version (none is 0).
create or replace function parse_expected(expected text)
returns bigint
language plpgsql
immutable
as $$
begin
  if expected ~ '^[0-9]{1,18}$' then
    return expected::bigint;
  end if;

  case expected
    when 'any' then return null;
    when 'none' then return 0;
    when 'exists' then return -1;
    else
      raise exception 'expected version "%" is not one', expected
        using errcode = 'TM006', detail = jsonb_build_object('expected', expected),
          hint = 'Give any, none, exists, or a version number.';
  end case;
end
$$;
