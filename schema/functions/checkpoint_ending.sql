-- The event in a stream that ends a checkpoint which is over; null where that was ended already.
create or replace function checkpoint_ending(stream text, checkpoint uuid)
returns jsonb
language plpgsql
stable
set search_path from current
as $$
declare
  _standing  record;
begin
  select * into _standing from state_standing(stream);
  if not _standing.is_live or _standing.is_damaged or checkpoint_dropped(checkpoint, stream) is not null then
    return null;
  end if;
  return state_event(_standing.agent, 'StateCheckpointDropped', jsonb_build_object('checkpoint', checkpoint, 'why', 'expired'),
    reason => 'it expired');
end
$$;
