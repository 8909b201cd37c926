-- A refused request leaves no trace: heads that this transaction made for it and did not fill are removed again.
create or replace function forget_empty_heads(stream text[])
returns void
language sql
volatile
set search_path from current
as $$
  delete from streams head where head.stream = any (forget_empty_heads.stream) and head.version = 0
$$;
