-- The tables of another generation take the place of those that the views showed. An engine of another definition lets go of it.
insert into :"schema".projections as projection (name, version, definition_hash, generation, position)
values ($1, $2, $3, $4, $5)
on conflict (name) do update set
  version = excluded.version,
  definition_hash = excluded.definition_hash,
  generation = excluded.generation,
  position = excluded.position,
  epoch = projection.epoch + 1,
  owner = case when projection.definition_hash = excluded.definition_hash then projection.owner end,
  state = 'running',
  error = null
