-- Whether retention of the log of schema $1 is this transaction's from now on, to its end: one process at a time.
select pg_try_advisory_xact_lock(hashtext('tidemark retention'), hashtext($1)) as is_ours
