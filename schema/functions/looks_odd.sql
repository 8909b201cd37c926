-- Whether something about these events may be malformed, so that check_batch has to look at each: one look at all of them
-- together, because this is paid for by every append. Labels are written as PostgreSQL writes arrays.
-- Inlined into the functions that call it, which a search_path of its own would prevent.
create or replace function looks_odd(type text[], labels text[], meta jsonb[], schema_version integer[])
returns boolean
language sql
stable
as $$
  select array_to_string(type, '') ~ '[^!-~]'
    or '' = any (type)
    or type::varchar(128)[]::text[] <> type
    -- Where there are labels at all: escapes, bounds, an empty label or one with a space at its end, labels within labels, null.
    -- 66 characters have no room for more than 32 labels, and 130 only where one is of two letters at most; nor has either for
    -- a label of more than 128.
    or array_to_string(labels, '') ~ '[^{}]'
      and (array_to_string(labels, '') ~ '[^ -~]|[\\[]|""|" | "|\{ *\{|[nN][uU][lL][lL]'
        or labels::varchar(66)[]::text[] <> labels
          and (labels::varchar(130)[]::text[] <> labels or array_to_string(labels, '') ~ '[,{][^{}]{1,2}[,}]'))
    or 1 > any (schema_version)
    -- The empty object is the least of all objects, and greater than whatever is none.
    or '{}' > any (meta)
$$;
