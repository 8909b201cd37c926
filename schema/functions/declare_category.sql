-- Says of which class a category is. A category's class is fixed by its first event.
create or replace function declare_category(category text, telemetry boolean)
returns void
language plpgsql
volatile
security definer
set search_path from current
as $$
#variable_conflict use_column
begin
  if exists (
    select from streams head
    where split_part(head.stream, '-', 1) = declare_category.category
      and head.stream >= declare_category.category and head.stream < declare_category.category || '.'
      and head.telemetry <> declare_category.telemetry
  ) then
    raise exception 'category "%" already has % events', declare_category.category, case when declare_category.telemetry then 'durable' else 'telemetry' end
      using errcode = 'TM004',
        detail = jsonb_build_object('category', declare_category.category, 'telemetry', not declare_category.telemetry),
        hint = 'Give the other class of events a category of its own.';
  end if;

  insert into categories (category, telemetry)
  values (declare_category.category, declare_category.telemetry)
  on conflict (category) do update set telemetry = excluded.telemetry
  where categories.telemetry <> excluded.telemetry;
end
$$;

revoke execute on function declare_category from public;
