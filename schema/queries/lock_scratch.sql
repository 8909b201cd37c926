-- Held to the end of the transaction by whoever makes or drops a throw-away schema; waits for who works in it.
select pg_advisory_xact_lock(hashtext('tidemark scratch'), hashtext($1))
