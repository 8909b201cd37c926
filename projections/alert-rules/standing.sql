-- How a rule stands in the log itself, ahead of the read model: the version of its stream $1, and whether it is there.
select
  version::integer,
  (
    select type = 'AlertRuleSet'
    from :"schema".events
    where stream = $1 and type in ('AlertRuleSet', 'AlertRuleRemoved')
    order by version desc
    limit 1
  ) as exists
from :"schema".events
where stream = $1
order by version desc
limit 1
