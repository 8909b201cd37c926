-- Events are immutable. The one exception is redaction: the log's owner, or a definer function of its, says so for the
-- transaction and blanks all that an event says. What, when and where it was stays, and nothing new can be said in its place.
create or replace function allow_redaction_only()
returns trigger
language plpgsql
set search_path from current
as $$
begin
  if current_setting('tidemark.redaction', true) = 'on'
    and current_user = (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid)
    and (new.position, new.id, new.stream, new.version, new.type, new.recorded_at, new.schema_version)
      = (old.position, old.id, old.stream, old.version, old.type, old.recorded_at, old.schema_version)
    and new.data in ('{}', '{"redacted": true}')
    and new.labels = '{}'
    and new.meta = '{}'
  then
    return new;
  end if;

  raise exception 'events are immutable: position % cannot be changed', old.position
    using errcode = 'TM001', detail = jsonb_build_object('table', tg_table_name, 'operation', 'update', 'position', old.position),
      hint = 'Emit another event that says what is true now.';
end
$$;
