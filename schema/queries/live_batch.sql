-- A batch that comes from memory, as the fold of a projection sees it: rows with the columns of log_events.
select position, id, stream, version, type, data, labels, meta, recorded_at, schema_version
from jsonb_to_recordset($1::jsonb) as event (
  position bigint,
  id uuid,
  stream text,
  version bigint,
  type text,
  data jsonb,
  labels text[],
  meta jsonb,
  recorded_at timestamptz,
  schema_version integer
)
