-- What a tier of a branch holds at a version, as far as the read model `states` has folded it.
create or replace function state_tier_at(branch bigint, version bigint, tier text)
returns jsonb
language plpgsql
stable
set search_path from current
as $$
begin
  return coalesce((
    select jsonb_object_agg(held.key, coalesce(held.value, state_value_at(held.home, held.tier, held.key, held.since)))
    from state_keys_at(state_tier_at.branch, state_tier_at.version, array[state_tier_at.tier]) held
  ), '{}');
end
$$;
