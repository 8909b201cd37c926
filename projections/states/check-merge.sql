-- A branch has moved: these are the conflicts now. What was decided of others stays told.
insert into :"state_conflicts" as known (merge, digest, path, kind, conflict)
select distinct on (one ->> 'path') $1::uuid, sha256(convert_to(one ->> 'path', 'UTF8')), one ->> 'path', one ->> 'kind', one
from jsonb_array_elements($2::jsonb -> 'conflicts') one
on conflict (merge, digest) do update
set kind = excluded.kind, conflict = excluded.conflict, resolution = null, resolved_by = null, reason = null, resolved_at = null
