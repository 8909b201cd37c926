-- How a request ($1, its stream) stands in the log itself, whatever the read model has folded by now: the version of its stream, and the last of
-- the events that say its status ($2, their types) since it was made; none of them where it is as it was made. A
-- status that is none of $3 was not said.
select
  last.type,
  last.data ->> 'status' as status,
  (select max(version) from :"schema".events where stream = $1)::integer as version
from (
  select version
  from :"schema".events
  where stream = $1 and type = 'HelpRequested'
  order by version
  limit 1
) request
left join lateral (
  select type, data
  from :"schema".events
  where stream = $1 and version > request.version and type = any ($2::text[])
    and (type <> 'HelpStatusChanged' or data ->> 'status' = any ($3::text[]))
  order by version desc
  limit 1
) last on true
