-- Events are immutable. The one exception is redaction, which says so for its transaction and may only blank
-- what an event says, never what, when or where it was.
create or replace function allow_redaction_only()
returns trigger
language plpgsql
set search_path from current
as $$
begin
  if current_setting('tidemark.redaction', true) = 'on'
    and (new.position, new.id, new.stream, new.version, new.type, new.recorded_at, new.schema_version)
      = (old.position, old.id, old.stream, old.version, old.type, old.recorded_at, old.schema_version)
  then
    return new;
  end if;

  raise exception 'events are immutable: position % cannot be changed', old.position
    using errcode = 'TM001', hint = 'Emit another event that says what is true now.';
end
$$;
