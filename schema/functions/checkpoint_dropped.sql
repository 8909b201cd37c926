-- Why a checkpoint was ended, as the read model `states` has it, or an event of a stream that it has not folded yet says; null where it was not.
create or replace function checkpoint_dropped(checkpoint uuid, stream text)
returns text
language plpgsql
stable
set search_path from current
as $$
declare
  _folded  bigint := (select standing.folded from state_standing(stream) standing);
begin
  return coalesce(
    (select known.dropped_because from state_checkpoints known where known.id = checkpoint and known.dropped_at is not null limit 1),
    (
      select event.data ->> 'why'
      from events event
      where event.stream = checkpoint_dropped.stream and event.version > _folded
        and event.type = 'StateCheckpointDropped' and lower(event.data ->> 'checkpoint') = checkpoint::text
      limit 1
    )
  );
end
$$;
