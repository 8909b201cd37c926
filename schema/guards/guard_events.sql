-- Puts the guards on a table of events: the lock before every insert, and nothing but inserts afterwards.
-- A partition needs its own, because an insert straight into it passes its parent by; row triggers it inherits.
-- A guard that stands as it should is left alone: to replace it would wait for every append under way, and hold up the next.
create or replace function guard_events(guarded regclass)
returns void
language plpgsql
volatile
set search_path from current
as $$
declare
  _is_partition  boolean := (select relispartition from pg_class where oid = guarded);
  _guard         record;
begin
  for _guard in
    select * from (values
      ('lock_before_position', 'insert', 'statement', 6, 'hold_log_lock', (select lock_key::text from log)),
      ('events_are_never_deleted', 'delete', 'statement', 10, 'refuse_deletion', null),
      ('events_are_never_truncated', 'truncate', 'statement', 34, 'refuse_deletion', null),
      ('events_are_immutable', 'update', 'row', 19, 'allow_redaction_only', null)
    ) as guard (name, operation, level, kind, function, argument)
    where not (guard.level = 'row' and _is_partition)
  loop
    -- `kind` is pg_trigger's way to write "before", the operation and the level; each argument ends with a zero byte there.
    continue when exists (
      select from pg_trigger
      where tgrelid = guarded
        and tgname = _guard.name
        and tgtype = _guard.kind
        and tgfoid = _guard.function::regproc
        and tgargs = coalesce(convert_to(_guard.argument, 'UTF8') || '\x00', '')
        and tgqual is null
        and tgenabled in ('O', 'A')
    );
    execute format('create or replace trigger %I before %s on %s for each %s execute function %I(%s)',
      _guard.name, _guard.operation, guarded, _guard.level, _guard.function, coalesce(quote_literal(_guard.argument), ''));
  end loop;
end
$$;
