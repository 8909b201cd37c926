-- A hash of 256 bits as a number, of which sums can be made; 0 for none.
create or replace function hash_number(hash bytea)
returns numeric
language plpgsql
immutable
parallel safe
as $$
declare
  -- A hash is read in parts that fit a bigint.
  _part_bits   constant integer := 32;
  _part_range  constant numeric := 2 ^ _part_bits::numeric;
  _hex         text    := encode(hash, 'hex');
  _number      numeric := 0;
begin
  for nth in 0 .. coalesce(length(_hex), 0) / 8 - 1 loop
    _number := _number * _part_range + ('x' || substr(_hex, nth * 8 + 1, 8))::bit(32)::bigint;
  end loop;
  return _number;
end
$$;
