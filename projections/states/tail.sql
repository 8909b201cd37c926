-- What came in a stream after a version, and how far it goes.
select
  (select version from :"schema".streams where stream = $1) as head,
  (
    select jsonb_agg(
      jsonb_build_array(
        event.version, event.position, event.id, event.type, event.data, event.meta,
        (extract(epoch from event.recorded_at) * 1000)::float8
      ) order by event.version
    )
    from :"schema".events event
    where event.stream = $1 and event.version > $2
  ) as tail
