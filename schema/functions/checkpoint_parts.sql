-- The branches that a checkpoint is of, and at which versions. Raises TM010 where there is no such checkpoint, or it was deleted; TM011
-- where it is over.
create or replace function checkpoint_parts(checkpoint uuid)
returns table (agent text, branch text, version bigint)
language plpgsql
stable
set search_path from current
as $$
declare
  _made  record;
  _over  timestamptz;
  _why   text;
begin
  -- One that is a part of another means that.
  select root.id, root.stream, root.version, root.data into _made
  from events given
  join events root on root.id = coalesce((given.data ->> 'partOf')::uuid, given.id)
  where given.id = checkpoint and given.type = 'StateCheckpointed' and root.type = 'StateCheckpointed' and root.stream like 'state-%';
  _over := _made.data ->> 'expiresAt';
  _why := checkpoint_dropped(_made.id, _made.stream);

  if _made.id is null or _why is not null and (_why <> 'expired' or _over is null) then
    raise exception 'there is no checkpoint %', checkpoint
      using errcode = 'TM010', detail = jsonb_build_object('checkpoint', checkpoint),
        hint = 'It was never made, or was deleted; state_checkpoints lists those that there are.';
  elsif _why = 'expired' or _over <= clock_timestamp() then
    raise exception 'checkpoint % expired at %', checkpoint, _over
      using errcode = 'TM011', detail = jsonb_build_object('checkpoint', checkpoint, 'expiredAt', _made.data ->> 'expiresAt'),
        hint = 'The versions that it named are still there: get_state_at_version.';
  end if;

  return query
    select part.agent, part.name, part.version
    from jsonb_to_recordset(coalesce(_made.data -> 'parts', jsonb_build_array(jsonb_build_object(
      'agent', substr(_made.stream, strpos(_made.stream, '@') + 1),
      'name', substr(split_part(_made.stream, '@', 1), length('state-') + 1),
      'version', _made.version
    )))) as part (agent text, name text, version bigint);
end
$$;
