-- Merges, the newest first: of an agent ($1), or of all; of a status ($2), or of any; so many ($3). With how many conflicts are open.
select
  id as merge, agent, source_name as source, source_version::float8 as "sourceVersion", target_name as target,
  target_version::float8 as "targetVersion", mode, strategy, status, merged_version::float8 as "mergedVersion", author, reason,
  opened_at as "openedAt", ended_at as "endedAt",
  (
    select count(*)::integer
    from :"schema".state_conflicts conflict
    where conflict.merge = one.id and conflict.resolution is null and one.status = 'pending'
  ) as "openConflicts"
from :"schema".state_merges one
where ($1::text is null or agent = $1) and ($2::text is null or status = $2)
order by opened_at desc, id
limit $3
