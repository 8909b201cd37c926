-- As read_page, and of these the events that were recorded within a time and belong to a piece of work. Times are not in the
-- order of positions, so that every event of the stretch is looked at.
select
  position, id, stream, version, type, data::text as data, labels, meta::text as meta, recorded_ms, schema_version,
  so_far >= $9 as is_cut
from (
  select *, sum(size) over (order by position rows unbounded preceding) as so_far
  from (
    select *
    from :"schema".event_rows
    where position > $1 and position <= $2
      and :"schema".is_wanted(stream, type, labels, meta, $4, $5, $6, $7, $8)
      and ($10::float8 is null or recorded_ms >= $10)
      and ($11::float8 is null or recorded_ms < $11)
      and ($12::text is null or meta -> 'correlationId' = to_jsonb($12) or id = $13::uuid)
    order by position
    limit $3
  ) ahead
) summed
where so_far - size < $9 and :"schema".reaches($2)
order by position
