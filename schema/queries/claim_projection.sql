-- An engine becomes the owner of a projection that nobody alive owns. Who holds its row is at work on it. An older definition
-- never takes over tables that a newer one filled.
update :"schema".projections
set owner = $3, epoch = epoch + 1
where name = (
  select name
  from :"schema".projections projection
  where name = $1 and definition_hash = $2
    and (
      owner is null
      or owner = $3
      or not exists (
        select from :"schema".engines holder
        where holder.engine = projection.owner and holder.alive_until > clock_timestamp()
      )
    )
  for update skip locked
)
returning
  version, definition_hash, generation, epoch, owner, position, state, error,
  (select case when is_called then last_value else 0 end from :"schema".log_position) as head
