-- The trigrams of a name, in their order in it: each three characters that follow each other in one of its words, with two spaces before the word and one after it. They find
-- names that are written in another way: one mistake touches four of them at most. Of a name the first 200 characters count.
create or replace function trigrams(name text)
returns text[]
language sql
immutable
strict
parallel safe
as $$
  select coalesce(array_agg(substr(padded.word, start, 3) order by nth, start), '{}')
  from regexp_split_to_table(lower(left(name, 200)), '[^[:alnum:]]+') with ordinality as split (word, nth)
  cross join lateral (select '  ' || split.word || ' ' as word) padded
  cross join lateral generate_series(1, length(padded.word) - 2) as start
  where split.word <> ''
$$;
