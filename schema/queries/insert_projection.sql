insert into :"schema".projections (name, version, definition_hash)
values ($1, $2, $3)
