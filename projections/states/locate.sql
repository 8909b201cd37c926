-- A version of a state: of a stream ($1), at a version ($2), a position ($3) or a time ($4); or a commit ($5). With the branch that it is
-- of, since a name may have been given to several.
with found as (
  select
    coalesce($1, event.stream) as stream,
    coalesce(
      $2, event.version,
      case when $3::bigint is not null then :"schema".version_at_position($1, $3) end,
      case when $4::timestamptz is not null then :"schema".version_at_time($1, $4) end
    ) as version
  from (select) one
  left join :"schema".events event on event.id = $5 and event.type = 'StateCommitted'
)
select found.stream, found.version, coalesce(
  -- The name was given again, and that is not folded yet.
  (
    select event.position
    from :"schema".events event
    where event.stream = found.stream and event.version <= found.version and event.type in ('StateCreated', 'StateBranched')
      and event.version > coalesce(
        (select max(folded.version) from :"schema".state_branches folded where folded.stream = found.stream), 0
      )
    order by event.version desc
    limit 1
  ),
  (
    select branch
    from :"schema".state_branches folded
    where folded.stream = found.stream and folded.born <= found.version
    order by folded.born desc
    limit 1
  )
) as branch
from found
where found.stream is not null
  -- The end of a branch is an event of it, too: from then on there was none, though its versions stay.
  and not (num_nonnulls($3::bigint, $4::timestamptz) > 0 and exists (
    select
    from :"schema".events event
    where event.stream = found.stream and event.version = found.version and event.type = 'StateBranchDeleted'
  ))
