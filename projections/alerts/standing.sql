-- How an alert ($1) stands in the log itself, ahead of the read model: its stream and that one's version, whom it concerns, and what was done to it.
select
  raised.stream,
  raised.data ->> 'subject' as subject,
  (select max(version) from :"schema".events where stream = raised.stream)::integer as version,
  exists (
    select from :"schema".events
    where stream = raised.stream and version > raised.version and type = 'AlertCleared' and data ->> 'alert' = $1
  ) as "isCleared",
  exists (
    select from :"schema".events
    where stream = raised.stream and version > raised.version and type = 'AlertAcknowledged' and data ->> 'alert' = $1
  ) as "isAcknowledged"
from :"schema".events raised
where id = $1::uuid and type = 'AlertRaised' and stream like 'alert-%'
