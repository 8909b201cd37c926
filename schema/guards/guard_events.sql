-- Puts the guards on a table of events: the lock before every insert, and nothing but inserts afterwards.
-- A partition needs its own, because an insert straight into it passes its parent by; row triggers it inherits.
create or replace function guard_events(guarded regclass)
returns void
language plpgsql
volatile
set search_path from current
as $$
begin
  execute format('create or replace trigger lock_before_position before insert on %s
    for each statement execute function hold_log_lock(%L)', guarded, (select lock_key from log));
  execute format('create or replace trigger events_are_never_deleted before delete on %s
    for each statement execute function refuse_deletion()', guarded);
  execute format('create or replace trigger events_are_never_truncated before truncate on %s
    for each statement execute function refuse_deletion()', guarded);

  if not (select relispartition from pg_class where oid = guarded) then
    execute format('create or replace trigger events_are_immutable before update on %s
      for each row execute function allow_redaction_only()', guarded);
  end if;
end
$$;
