-- What is over by a time and was not ended, as far as the read model `states` knows, so much at most of each kind: sessions, by their streams;
-- and checkpoints, by the stream whose event is to end them: the one that they were made in, or main's where that was deleted.
create or replace function expired_states(at timestamptz, most integer)
returns table (stream text, checkpoint uuid)
language plpgsql
stable
set search_path from current
as $$
begin
  return query
    select session.stream, null::uuid
    from (
      select known.stream
      from state_branches known
      where known.session_ends_at <= expired_states.at and known.deleted_at is null and not known.faults @> '[{"repaired": null}]'
      order by known.session_ends_at
      limit most
    ) session
    union all
    select
      case when standing.is_live then made.stream
        else state_stream(substr(made.stream, strpos(made.stream, '@') + 1), 'main') end,
      over.id
    from (
      select known.id
      from state_checkpoints known
      where known.expires_at <= expired_states.at and known.dropped_at is null
      group by known.id
      order by min(known.expires_at)
      limit most
    ) over
    join events made on made.id = over.id
    cross join lateral state_standing(made.stream) standing;
end
$$;
