-- A merge that somebody has to decide about, and its conflicts.
with merge as (
  insert into :"state_merges" (
    id, agent, source, source_name, source_version, target, target_name, target_version, mode, strategy, status, author, reason, opened_at
  )
  select
    $1::uuid, $2::jsonb ->> 'agent', ($2::jsonb #>> '{source,branch}')::bigint, $2::jsonb #>> '{source,name}',
    ($2::jsonb #>> '{source,version}')::bigint, ($2::jsonb #>> '{target,branch}')::bigint, $2::jsonb #>> '{target,name}',
    ($2::jsonb #>> '{target,version}')::bigint, $2::jsonb ->> 'mode', $2::jsonb ->> 'strategy', 'pending',
    coalesce($2::jsonb ->> 'author', $3), $4, $5::timestamptz
  on conflict do nothing
)
insert into :"state_conflicts" (id, merge, path, kind, conflict)
select one.id, $1::uuid, one.conflict ->> 'path', one.conflict ->> 'kind', one.conflict
from rows from (unnest($6::uuid[]), jsonb_array_elements($2::jsonb -> 'conflicts')) as one (id, conflict)
on conflict do nothing
