-- A branch has moved: these are the conflicts now ($3: their ids). What was decided of others stays told; those that nobody has decided are
-- none any more.
with gone as (
  delete from :"state_conflicts" known
  where known.merge = $1::uuid and known.resolution is null and not known.id = any ($3::uuid[])
)
insert into :"state_conflicts" as known (id, merge, path, kind, conflict)
select distinct on (one.id) one.id, $1::uuid, one.conflict ->> 'path', one.conflict ->> 'kind', one.conflict
from rows from (unnest($3::uuid[]), jsonb_array_elements($2::jsonb -> 'conflicts')) as one (id, conflict)
on conflict (id) do update
set kind = excluded.kind, conflict = excluded.conflict, resolution = null, resolved_by = null, reason = null, resolved_at = null,
  expired_at = null
