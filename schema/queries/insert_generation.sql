insert into :"schema".generations (projection, generation, version, definition_hash, relations, state, build, owner)
values ($1, $2, $3, $4, $5, $6, $7, $8)
