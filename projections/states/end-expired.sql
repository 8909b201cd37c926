-- Ends sessions and checkpoints that are over, so much ($1) at most of each kind.
select sessions, checkpoints from :"schema".cleanup_expired_states($1)
