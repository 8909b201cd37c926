-- Held to the end of the transaction by whoever works in a throw-away schema: nobody drops it meanwhile. The server must not go on
-- for long with what nobody waits for any more, where it can tell: who drops the schema waits for that.
select
  pg_advisory_xact_lock_shared(hashtext('tidemark scratch'), hashtext($1)),
  case when version() ~ 'linux|darwin|bsd' then set_config('client_connection_check_interval', '1s', true) end
