-- The value of a key at a version at which a branch changed it: the last one before that is kept, and all patches of the key since then.
create or replace function state_value_at(branch bigint, tier text, key text, version bigint)
returns jsonb
language plpgsql
stable
set search_path from current
as $$
declare
  _pointer  text  := state_pointer(tier, key);
  _since    bigint;
  _values   jsonb;
  _patch    jsonb;
begin
  select one.version, case when one.is_absent then '{}' else jsonb_build_object(one.key, one.value) end into _since, _values
  from state_key_versions one
  where one.branch = state_value_at.branch and one.tier = state_value_at.tier and one.key = state_value_at.key
    and one.version <= state_value_at.version and (one.is_absent or one.value is not null)
  order by one.version desc
  limit 1;

  -- Others of the same event are of other keys, whose values are not looked at.
  select jsonb_agg(operation.value order by step.version, operation.nth) into _patch
  from state_key_versions step
  join state_branches known on known.branch = step.branch
  -- Event by event: the planner takes every stream for a short one, where most are, and would read all of it.
  cross join lateral (select one.data from events one where one.stream = known.stream and one.version = step.version offset 0) event
  cross join jsonb_array_elements(event.data -> 'patch') with ordinality as operation (value, nth)
  where step.branch = state_value_at.branch and step.tier = state_value_at.tier and step.key = state_value_at.key
    and step.version > _since and step.version <= state_value_at.version
    and (starts_with(operation.value ->> 'path' || '/', _pointer || '/')
      or starts_with(operation.value ->> 'from' || '/', _pointer || '/'));

  return apply_patch(jsonb_build_object(tier, _values), coalesce(_patch, '[]')) -> tier -> key;
end
$$;
