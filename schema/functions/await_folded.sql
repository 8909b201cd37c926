-- Waits up to `patience` until the read model `states` has folded all that changes the branches of some streams, then raises TM012. Every look
-- is a statement with a snapshot of its own, so it waits in READ COMMITTED only; and for no read model that has stopped.
create or replace function await_folded(streams text[], patience interval default '5 seconds')
returns void
language plpgsql
volatile
set search_path from current
as $$
declare
  _look_again  constant float8 := 0.005;
  _deadline    timestamptz := clock_timestamp() + patience;
  _moves       boolean     := current_setting('transaction_isolation') in ('read committed', 'read uncommitted');
  _behind      record;
begin
  loop
    select given.stream, standing.agent, standing.name, standing.folded into _behind
    from unnest(streams) as given (stream)
    cross join lateral state_standing(given.stream) standing
    -- What is damaged is folded no further.
    where not standing.is_folded and not standing.is_damaged
    limit 1;
    exit when not found;

    if not _moves or clock_timestamp() >= _deadline or not exists (select from projections where name = 'states' and state = 'running') then
      raise exception 'the read model of states has folded stream "%" up to version % only', _behind.stream, _behind.folded
        using errcode = 'TM012',
          detail = jsonb_build_object('stream', _behind.stream, 'version', stream_version(_behind.stream), 'folded', _behind.folded),
          hint = 'Run it again in a while, in a transaction that has not written this state itself; where no engine hears of what SQL appends, wake it.';
    end if;
    perform pg_sleep(_look_again);
  end loop;
end
$$;
