-- Makes branches again what they were at a checkpoint: all that it is of, in the caller's transaction. Waits up to 5 s until the read model
-- has what the log has of them. Returns a row for each branch; nothing is appended to one that is so already.
create or replace function restore_state_checkpoint(checkpoint uuid, merge boolean default false, actor text default null)
returns table (agent text, branch text, version bigint, state_hash text, changed text[])
language plpgsql
volatile
set search_path from current
as $$
declare
  _streams  text[];
  _plans    jsonb;
  _plan     record;
  _data     jsonb;
begin
  select array_agg(state_stream(part.agent, part.branch)) into _streams from checkpoint_parts(checkpoint) part;
  -- Nobody is held up while the read model is far behind; once nobody else can write them, it has soon caught up.
  perform await_folded(_streams);
  perform hold_heads(_streams);
  perform await_folded(_streams);

  -- All is worked out before anything is appended, from when on the readers of the log wait for this transaction.
  select jsonb_agg(jsonb_build_object(
    'agent', part.agent, 'branch', part.branch, 'data', plan.data, 'hash', plan.hash, 'changed', plan.changed
  ) order by part.agent, part.branch) into _plans
  from checkpoint_parts(checkpoint) part
  cross join lateral plan_restore(part.agent, part.branch, part.version, coalesce(merge, false)) plan;

  for _plan in
    select plan.*, state_stream(plan.agent, plan.branch) as stream
    from jsonb_to_recordset(_plans) as plan (agent text, branch text, data jsonb, hash text, changed text[])
    order by plan.agent, plan.branch
  loop
    version := stream_version(_plan.stream);
    if jsonb_typeof(_plan.data) = 'object' then
      _data := _plan.data || jsonb_build_object('checkpoint', checkpoint);
      select appended.version into version
      from append_events(_plan.stream, jsonb_build_array(state_event(_plan.agent, 'StateRestored', _data, actor)), version::text) appended;
    end if;
    agent := _plan.agent;
    branch := _plan.branch;
    state_hash := _plan.hash;
    changed := _plan.changed;
    return next;
  end loop;
end
$$;

revoke execute on function restore_state_checkpoint from public;
