-- Ends the statement that the backend $1 is at.
select pg_cancel_backend($1)
