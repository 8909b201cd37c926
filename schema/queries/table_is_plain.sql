-- Whether rows come to lie in a table just as they were inserted, in whichever order that is done: no triggers or rules, and
-- no default that counts or calls anything.
select not exists (select from pg_trigger where tgrelid = $1::regclass and not tgisinternal)
  and not exists (select from pg_rewrite where ev_class = $1::regclass)
  and not exists (select from pg_attribute where attrelid = $1::regclass and attidentity <> '')
  and not exists (
    select
    from pg_attrdef made
    join pg_attribute attribute on attribute.attrelid = made.adrelid and attribute.attnum = made.adnum
    where made.adrelid = $1::regclass and attribute.attgenerated = '' and pg_get_expr(made.adbin, made.adrelid) like '%(%'
  ) as plain
