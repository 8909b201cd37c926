-- A batch that the server takes from the log itself. The same, to the last column, as one that comes from memory: times are cut
-- to the millisecond, a JSON null is null, and texts compare as they do there.
select
  position, id, stream collate "default" as stream, version, type collate "default" as type,
  nullif(data, 'null') as data, labels collate "default" as labels, meta,
  date_trunc('milliseconds', recorded_at) as recorded_at, schema_version
from :"schema".log_events
where position > $1 and position <= $2 and type = any ($3)
order by position
