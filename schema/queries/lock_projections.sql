-- Held to the end of the transaction by whoever makes or replaces the tables of a projection.
select pg_advisory_xact_lock(hashtext('tidemark projections'), hashtext($1))
