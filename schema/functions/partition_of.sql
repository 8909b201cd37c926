-- The partition that a stream falls to, of so many: the first 32 bits of the SHA-256 of its name, modulo their number. It is no more
-- volatile than convert_to, which is stable, so that the planner puts its body in the place of a call.
create or replace function partition_of(stream text, partitions integer)
returns integer
language sql
stable
parallel safe
as $$
  select (('x' || left(encode(sha256(convert_to(stream, 'UTF8')), 'hex'), 8))::bit(32)::bigint % partitions)::integer
$$;
