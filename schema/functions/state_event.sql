-- An event of an agent's state as append_events takes it, with the label by which the library finds it. Who did it and why, where that is told.
create or replace function state_event(agent text, type text, data jsonb, actor text default null, reason text default null)
returns jsonb
language sql
stable
parallel safe
as $$
  select jsonb_build_object(
    'type', type, 'data', data, 'labels', jsonb_build_array('agent:' || agent),
    'meta', jsonb_strip_nulls(jsonb_build_object('actor', actor, 'reason', reason))
  )
$$;
