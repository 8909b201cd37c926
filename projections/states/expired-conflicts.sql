-- Conflicts that are open for longer than the definition of the target, of its type or of all has it, the nearest one that says so; and what decides
-- them then. Into what a link has in common ('link:…'), it is the member whose definition counts, and
-- ours is what the member has: the other side of what is ours in the hub. The oldest first, so many ($1), after the one ($3)
-- that opened at $2.
with waiting as (
  select
    id, opened_at,
    starts_with(target_agent, 'link:') as is_into_hub,
    case when starts_with(target_agent, 'link:') then source_agent else target_agent end as agent,
    case when starts_with(target_agent, 'link:') then source_branch else target_branch end as branch
  from :"schema".state_conflict_inbox
  where status = 'open' and ($2::timestamptz is null or (opened_at, id) > ($2, $3::uuid))
),
policies as (
  select target.agent, target.branch, policy.after, policy.use
  from (select distinct agent, branch from waiting) target
  cross join lateral (
    select
      (said.data #>> '{conflicts,expireAfterMs}')::float8 * interval '1 millisecond' as after, said.data #>> '{conflicts,use}' as use
    from (
      values
        (1, 'agent:' || target.agent),
        (2, 'type:' || (
          select branch.agent_type
          from :"schema".state_branches branch
          where branch.agent = target.agent and branch.name = target.branch
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
select waiting.id, waiting.opened_at::text as "openedAt",
  case when is_into_hub and policies.use = 'ours' then 'theirs' when is_into_hub and policies.use = 'theirs' then 'ours' else policies.use end as use
from waiting
join policies using (agent, branch)
where waiting.opened_at <= clock_timestamp() - policies.after
order by waiting.opened_at, waiting.id
limit $1
