-- Raises TM006 where one of these events is malformed. What is null is left to the table, which refuses it.
create or replace function check_batch(type text[], labels text[], meta jsonb[], schema_version integer[])
returns void
language plpgsql
stable
set search_path from current
as $$
declare
  _nth    bigint;
  _wrong  text;
begin
  select event.nth, judged.wrong into _nth, _wrong
  from unnest(type, labels, meta, schema_version) with ordinality as event (type, labels, meta, schema_version, nth),
    lateral (select event.labels::text[] as list offset 0) label,
    lateral (
      select case
        when octet_length(event.type) not between 1 and 128 or event.type ~ '[^!-~]' then
          'its type is not 1–128 visible ASCII characters'
        when not (cardinality(label.list) = 0
          or array_ndims(label.list) = 1
          and array_lower(label.list, 1) = 1
          and cardinality(label.list) <= 32
          and num_nulls(variadic label.list) = 0
          and '' <> all (label.list)
          and label.list::varchar(128)[]::text[] = label.list
          and array_to_string(label.list, '') collate "C" !~ '[\x01-\x1f\x7f-\x9f]'
          and E'\n' || array_to_string(label.list, E'\n') || E'\n' !~ '\n | \n') then
          'its labels are not up to 32 texts of 1–128 printable characters, without a space at either end'
        when jsonb_typeof(event.meta) <> 'object' then 'its meta is not an object'
        when event.schema_version < 1 then 'its schema version is not a number from 1'
      end as wrong
      offset 0
    ) judged
  where judged.wrong is not null
  limit 1;

  if found then
    raise exception 'event % is malformed: %', _nth, _wrong
      using errcode = 'TM006', detail = jsonb_build_object('event', _nth), hint = 'Nothing was appended. Mend the event.';
  end if;
end
$$;
