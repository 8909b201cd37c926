-- How long maintenance waits: for a lock $1 ms, so that nobody has to queue behind it for longer, and for its own work as long as that takes.
-- For this transaction where $2 is true, else for the session. Nobody is to wait for work that nobody waits for any more, where the server can tell.
select
  set_config('lock_timeout', $1::text, $2),
  set_config('statement_timeout', '0', $2),
  case when current_setting('transaction_timeout', true) is not null then set_config('transaction_timeout', '0', $2) end,
  case when version() ~ 'linux|darwin|bsd' then set_config('client_connection_check_interval', '1s', $2) end
