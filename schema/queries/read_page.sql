-- The events in a settled stretch of the log, after one position and up to another, that a filter lets through.
select *
from :"schema".event_rows
where position > $1 and position <= $2
  and ($4::text[] is null or stream = any ($4))
  and ($5::text[] is null or split_part(stream, '-', 1) = any ($5))
  and ($6::text[] is null or type = any ($6))
  and ($7::text[] is null or labels && $7)
  and ($8::text is null
    or substr(stream, strpos(stream, '-') + 1) = $8
    or meta -> 'actor' = to_jsonb($8)
    or labels @> array['agent:' || $8])
order by position
limit $3
