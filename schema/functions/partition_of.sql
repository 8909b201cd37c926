-- The partition that a stream falls to, of so many: the first 32 bits of the SHA-256 of its name, modulo their number.
create or replace function partition_of(stream text, partitions integer)
returns integer
language sql
immutable
parallel safe
as $$
  select (('x' || left(encode(sha256(convert_to(stream, 'UTF8')), 'hex'), 8))::bit(32)::bigint % partitions)::integer
$$;
