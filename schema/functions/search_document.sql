-- What a search looks through: a title, which counts for more, and a text. Of a title the first 1 000 characters are looked through, of a text the
-- first 50 000: PostgreSQL refuses a document of 1 MB. Words are taken as they are written, in whatever language; the parts of a title that is a name, such as
-- disk.full or pets/sea, are words as well.
create or replace function search_document(title text, body text)
returns tsvector
language sql
immutable
parallel safe
as $$
  select setweight(to_tsvector('pg_catalog.simple', coalesce(left(title, 1000) || ' ' || translate(left(title, 1000), '/._:@-', '      '), '')), 'A')
    || setweight(to_tsvector('pg_catalog.simple', left(coalesce(body, ''), 50000)), 'B')
$$;
