-- Why a checkpoint was ended, as the read model `states` has it, or an event says that it has not folded yet: in the stream that the checkpoint
-- was made in, or main's, which speaks for a branch that was deleted. Null where it was not.
create or replace function checkpoint_dropped(checkpoint uuid, stream text)
returns text
language plpgsql
stable
set search_path from current
as $$
begin
  return coalesce(
    (select known.dropped_because from state_checkpoints known where known.id = checkpoint and known.dropped_at is not null limit 1),
    (
      select event.data ->> 'why'
      from (
        select checkpoint_dropped.stream
        union
        select state_stream(substr(checkpoint_dropped.stream, strpos(checkpoint_dropped.stream, '@') + 1), 'main')
      ) said
      cross join lateral state_standing(said.stream) standing
      -- By the stream, whatever the planner thinks of how few events there are of this type: it would read the whole log for them.
      cross join lateral (
        select one.type, one.data from events one where one.stream = said.stream and one.version > standing.folded offset 0
      ) event
      where event.type = 'StateCheckpointDropped' and lower(event.data ->> 'checkpoint') = checkpoint::text
      limit 1
    )
  );
end
$$;
