-- Ends sessions and checkpoints that are over, so much at most of each kind. What somebody else is writing, or the read model has not
-- followed yet, is left to the next call; nothing is ended twice.
create or replace function cleanup_expired_states(most integer default 1000)
returns table (sessions integer, checkpoints integer)
language plpgsql
volatile
set search_path from current
as $$
declare
  _now     timestamptz := clock_timestamp();
  _held    text[];
  _ending  record;
begin
  sessions := 0;
  checkpoints := 0;
  select hold_heads(array_agg(over.stream), false) into _held from expired_states(_now, most) over;

  -- In a statement of its own: what others appended before the heads were held is seen.
  for _ending in
    select
      one.stream, jsonb_agg(one.event) as events, count(one.checkpoint) as checkpoints,
      count(*) filter (where one.event ->> 'type' = 'StateSessionEnded') as sessions
    from (
      select over.stream, over.checkpoint, case when over.checkpoint is null then session_ending(over.stream, _now)
        else checkpoint_ending(over.stream, over.checkpoint) end as event
      from expired_states(_now, most) over
      where over.stream = any (_held)
    ) one
    where one.event is not null
    group by one.stream
  loop
    perform append_events(_ending.stream, _ending.events, stream_version(_ending.stream)::text);
    sessions := sessions + _ending.sessions;
    checkpoints := checkpoints + _ending.checkpoints;
  end loop;
  return next;
end
$$;

revoke execute on function cleanup_expired_states from public;
