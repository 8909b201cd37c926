-- An engine becomes the owner of a projection that nobody alive owns. Who holds its row is at work on it. An older definition
-- never takes over tables that a newer one filled.
update :"schema".projections
set owner = $3, epoch = epoch + 1
where name = (
  select projection.name
  from :"schema".projections projection
  left join :"schema".engines holder on holder.engine = projection.owner and holder.alive_until > clock_timestamp()
  where projection.name = $1 and projection.definition_hash = $2 and (holder.engine is null or projection.owner = $3)
  for update of projection skip locked
)
returning
  version, definition_hash, generation, epoch, owner, position, state, error,
  (select case when is_called then last_value else 0 end from :"schema".log_position) as head
