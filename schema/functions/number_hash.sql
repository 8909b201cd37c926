-- A number, modulo 2^256, as the text of a hash: 64 hexadecimal digits.
create or replace function number_hash(number numeric)
returns text
language plpgsql
immutable
strict
parallel safe
as $$
declare
  _modulus     constant numeric := 2 ^ 256::numeric;
  _part_range  constant numeric := 2 ^ 32::numeric;
  _rest        numeric := mod(mod(number, _modulus) + _modulus, _modulus);
  _hex         text    := '';
begin
  for nth in 1 .. 8 loop
    _hex := lpad(to_hex(mod(_rest, _part_range)::bigint), 8, '0') || _hex;
    _rest := div(_rest, _part_range);
  end loop;
  return _hex;
end
$$;
