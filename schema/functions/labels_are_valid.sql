-- Labels are a JSON array of up to 32 texts of 1–128 printable characters, without a space at either end.
create or replace function labels_are_valid(labels jsonb)
returns boolean
language sql
immutable
parallel safe
as $$
  select case jsonb_typeof(labels)
    when 'array' then jsonb_array_length(labels) <= 32 and not exists (
      select from jsonb_array_elements(labels) as label (value)
      where jsonb_typeof(label.value) <> 'string'
        or length(label.value #>> '{}') not between 1 and 128
        or (label.value #>> '{}') collate "C" ~ '[\x01-\x1f\x7f-\x9f]|^\s|\s$'
    )
    else false
  end
$$;
