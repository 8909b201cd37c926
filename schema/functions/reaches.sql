-- True where this server has the log up to a position; raises TM007 where it may not have. A replica lags, also behind another one
-- that answered before, so only what it has written down as settled counts (rule S7): in the snapshot of the query around the call.
create or replace function reaches(up_to bigint)
returns boolean
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
  _settled bigint;
begin
  if not is_replica() then
    return true;
  end if;
  _settled := coalesce(settled_position(), 0);
  if _settled < up_to then
    raise exception 'it knows the log up to position %, and was asked for it up to %', _settled, up_to
      using errcode = 'TM007', detail = jsonb_build_object('settled', _settled, 'asked', up_to),
        hint = 'Try again: it is behind the server that its events come from.';
  end if;
  return true;
end
$$;
