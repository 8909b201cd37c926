-- The highest position that is settled: no event can appear at or below it any more. Waits up to patience for
-- the appends under way that stand in between, never for any other transaction; then returns what is known for sure.
-- Every look is a statement with a snapshot of its own, so it must run in READ COMMITTED, before the statement that reads.
create or replace function await_settled(patience interval default '1 second')
returns bigint
language plpgsql
volatile
set search_path from current
as $$
declare
  _known     bigint := settled_position();
  _barrier   bigint;
  _before    text[];
  _deadline  timestamptz := clock_timestamp() + patience;
begin
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception 'the log cannot be settled in a % transaction: its snapshot does not move', current_setting('transaction_isolation')
      using errcode = 'TM003', detail = jsonb_build_object('isolation', current_setting('transaction_isolation')),
        hint = 'Read in READ COMMITTED, or only up to settled_position().';
  end if;

  if is_replica() then
    return _known;
  end if;

  select max(position) into _barrier from log_events;
  if _barrier is null or _barrier <= _known then
    return _known;
  end if;

  select array_agg(holder) into _before from log_holders();
  while still_held(_before) loop
    if clock_timestamp() >= _deadline then
      return _known;
    end if;
    perform pg_sleep(0.001);
  end loop;

  -- A transaction that was prepared meanwhile goes on holding under another name.
  select array_agg(holder) into _before from log_holders() where holder like '-1/%';
  while still_held(_before) loop
    if clock_timestamp() >= _deadline then
      return _known;
    end if;
    perform pg_sleep(0.01);
  end loop;

  return _barrier;
end
$$;
