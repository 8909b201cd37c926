-- Conflicts that are open for longer than the definition of the target, of its type or of all has it, the nearest one that says so; and what decides
-- them then. The oldest first, so many ($1).
with waiting as (
  select id, target_agent, target_branch, opened_at
  from :"schema".state_conflict_inbox
  where status = 'open'
),
policies as (
  select target.target_agent, target.target_branch, policy.after, policy.use
  from (select distinct target_agent, target_branch from waiting) target
  cross join lateral (
    select
      (said.data #>> '{conflicts,expireAfterMs}')::float8 * interval '1 millisecond' as after, said.data #>> '{conflicts,use}' as use
    from (
      values
        (1, 'agent:' || target.target_agent),
        (2, 'type:' || (
          select branch.agent_type
          from :"schema".state_branches branch
          where branch.agent = target.target_agent and branch.name = target.target_branch
          order by branch.branch desc
          limit 1
        )),
        (3, 'all')
    ) as scope (nth, name)
    cross join lateral (
      select event.data
      from :"schema".events event
      where event.stream = 'statedefinition-' || scope.name
      order by event.version desc
      limit 1
    ) said
    where said.data ? 'conflicts'
    order by scope.nth
    limit 1
  ) policy
)
select waiting.id, policies.use
from waiting
join policies using (target_agent, target_branch)
where waiting.opened_at <= clock_timestamp() - policies.after
order by waiting.opened_at, waiting.id
limit $1
