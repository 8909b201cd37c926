-- A refused request leaves no trace: heads that this transaction made for it and did not fill are removed again.
create or replace function forget_empty_heads(heads text[])
returns void
language plpgsql
volatile
set search_path from current
as $$
begin
  delete from streams where stream = any (heads) and version = 0;
end
$$;
