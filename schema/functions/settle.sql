-- Settles the log and writes the position down. Returns it.
create or replace function settle(patience interval default '1 second')
returns bigint
language plpgsql
volatile
set search_path from current
as $$
declare
  _reached bigint := await_settled(patience);
begin
  perform record_settled(_reached);
  return _reached;
end
$$;
