-- Which of these streams exist, and whether no other transaction holds them now. A writer has no right to lock a head itself.
create or replace function free_heads(heads text[])
returns table (stream text, free boolean)
language plpgsql
volatile
security definer
set search_path from current
as $$
#variable_conflict use_column
begin
  return query
    with free as materialized (
      select head.stream
      from streams head
      where head.stream = any (heads)
      for update skip locked
    )
    select head.stream, free.stream is not null
    from streams head
    left join free on free.stream = head.stream
    where head.stream = any (heads);
end
$$;

revoke execute on function free_heads from public;
