create or replace function refuse_deletion()
returns trigger
language plpgsql
set search_path from current
as $$
begin
  raise exception 'events are never deleted: % on % is refused', lower(tg_op), tg_table_name
    using errcode = 'TM001', detail = jsonb_build_object('table', tg_table_name, 'operation', lower(tg_op)),
      hint = 'Telemetry ends with its partition; a durable event can only be redacted.';
end
$$;
