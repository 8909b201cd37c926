-- What a generation is from now on. The try that made it stays known: a swap whose COMMIT was not answered is recognised by it.
insert into :"schema".generations as generation (projection, generation, version, definition_hash, relations, state, position)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (projection, generation) do update set
  state = excluded.state, position = excluded.position, relations = excluded.relations, owner = null,
  changed_at = clock_timestamp()
