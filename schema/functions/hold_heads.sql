-- Holds the heads of streams to the end of the transaction, in their order: nobody else appends to these meanwhile. Where `patient` is
-- false, those that somebody else holds are left out. Returns those that it holds, in that order.
create or replace function hold_heads(streams text[], patient boolean default true)
returns text[]
language plpgsql
volatile
security definer
set search_path from current
as $$
declare
  _held  text[];
begin
  if patient then
    select array_agg(held.stream) into _held
    from (select head.stream from streams head where head.stream = any (hold_heads.streams) order by head.stream for update) held;
  else
    select array_agg(held.stream) into _held
    from (select head.stream from streams head where head.stream = any (hold_heads.streams) order by head.stream for update skip locked) held;
  end if;
  return coalesce(_held, '{}');
end
$$;

revoke execute on function hold_heads from public;
