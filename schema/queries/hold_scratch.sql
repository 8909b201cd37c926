-- Held to the end of the transaction by whoever works in a throw-away schema: nobody drops it meanwhile.
select pg_advisory_xact_lock_shared(hashtext('tidemark scratch'), hashtext($1))
