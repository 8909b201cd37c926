insert into :"schema".projections (name, version, definition_hash, generation)
values ($1, $2, $3, $4)
