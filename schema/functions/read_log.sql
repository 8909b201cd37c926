-- The settled events after a position, in order of position. Settles in a statement before the one that reads.
create or replace function read_log(after bigint default 0, batch integer default 1000, patience interval default '1 second')
returns setof log_events
language plpgsql
volatile
set search_path from current
as $$
declare
  _upto bigint := await_settled(patience);
begin
  return query
    select * from log_events event
    where event.position > after and event.position <= _upto
    order by event.position
    limit batch;
end
$$;
