-- What psql and dashboards see of states, beside the relations themselves. The functions of the log work out what is not kept ready; they
-- look at the live read model, in a what-if, too.

-- Each version at which a branch has changed its state. Tiers are made when their column is asked for, of the rows that are left by then:
-- they stand above the union, so that the server can filter, sort and limit before.
create or replace view :"home".agent_states as
select
  one.id,
  one.agent as agent_id,
  one.name as branch,
  one.version::text as version,
  :"schema".state_tier_at(one.branch, one.version, 'local') as local_state,
  :"schema".state_tier_at(one.branch, one.version, 'shared') as shared_state,
  :"schema".state_tier_at(one.branch, one.version, 'session') as session_state,
  :"schema".state_tier_at(one.branch, one.version, 'persistent') as persistent_state,
  one.hash as state_hash,
  (
    select count(*)::integer
    from :"schema".events event
    where event.stream = one.stream and event.version between one.born and one.version and event.data ? 'hash'
      and not :"schema".is_passed_over(one.faults, event.version)
  ) as modification_count,
  one.recorded_at as valid_from,
  one.valid_until,
  one.is_current
from (
  select
    branch.branch, branch.agent, branch.name, branch.stream, branch.born, branch.faults,
    event.id, event.version, event.data ->> 'hash' as hash, event.recorded_at,
    branch.deleted_at as valid_until, branch.deleted_at is null as is_current
  from :"home".state_branches branch
  cross join lateral (
    select *
    from :"schema".events newest
    where newest.stream = branch.stream and newest.version between branch.born and branch.version and newest.data ? 'hash'
      and not :"schema".is_passed_over(branch.faults, newest.version)
    order by newest.version desc
    limit 1
  ) event
  union all
  select
    branch.branch, branch.agent, branch.name, branch.stream, branch.born, branch.faults,
    event.id, event.version, event.data ->> 'hash', event.recorded_at,
    next.recorded_at, false
  from :"home".state_branches branch
  join :"schema".events event on event.stream = branch.stream and event.version between branch.born and branch.version
  cross join lateral (
    select later.recorded_at
    from :"schema".events later
    where later.stream = branch.stream and later.version > event.version and later.version <= branch.version and later.data ? 'hash'
      and not :"schema".is_passed_over(branch.faults, later.version)
    order by later.version
    limit 1
  ) next
  where event.data ? 'hash' and not :"schema".is_passed_over(branch.faults, event.version)
) one;
comment on view :"home".agent_states is 'Agents'' states at each version that changed them; is_current: as they are now.';

-- Every version of every branch, and what it came from.
create or replace view :"home".state_versions as
select
  branch.agent,
  branch.name as branch,
  event.version,
  event.position,
  event.id,
  event.type as kind,
  coalesce(event.data ->> 'hash', :"schema".state_hash_at(branch.stream, event.version)) as state_hash,
  event.data ->> 'author' as author,
  event.meta ->> 'actor' as actor,
  event.meta ->> 'reason' as reason,
  event.data ->> 'message' as message,
  (
    select coalesce(jsonb_agg(jsonb_build_object('branch', parent.name, 'version', parent.version) order by parent.nth), '[]')
    from (
      values
        (1, branch.name, case
          when event.type = 'StateRepaired' then (event.data ->> 'good')::bigint
          when event.version > branch.born then event.version - 1
        end),
        (2, event.data #>> '{parent,name}', case when event.type = 'StateBranched' then (event.data #>> '{parent,version}')::bigint end),
        (3, event.data #>> '{source,name}', case when event.type = 'StateMerged' then (event.data #>> '{source,version}')::bigint end)
    ) as parent (nth, name, version)
    where parent.version is not null
  ) as parents,
  event.recorded_at as created_at
from :"home".state_branches branch
join :"schema".events event on event.stream = branch.stream and event.version between branch.born and branch.version
where not :"schema".is_passed_over(branch.faults, event.version);
comment on view :"home".state_versions is 'Every version of every branch of agents'' states: what made it, who and why, and which versions it came from.';

-- The conflicts of synchronisations and of merges, those that are over included.
create or replace view :"home".state_conflict_inbox as
select
  one.id, one.kind, one.status, one.source_agent, one.source_branch, one.target_agent, one.target_branch, one.path,
  one.conflict ->> 'kind' as conflict_kind, one.conflict -> 'base' as base, one.conflict -> 'ours' as ours, one.conflict -> 'theirs' as theirs,
  one.conflict ->> 'oursBy' as ours_by, one.conflict ->> 'oursBecause' as ours_because,
  one.conflict ->> 'theirsBy' as theirs_by, one.conflict ->> 'theirsBecause' as theirs_because,
  one.conflict -> 'rule' as rule, one.conflict, one.keys, one.rules, one.sync, one.merge, one.opened_at, one.seen_at, one.times,
  one.assignee, one.resolution, one.resolved_by, one.reason, one.resolved_at
from (
  select
    id, 'sync' as kind, status, source_agent_id as source_agent, source_branch, target_agent_id as target_agent, target_branch, path,
    conflict || jsonb_build_object('id', id) as conflict, keys, rules, sync, null::uuid as merge, opened_at, seen_at, times, assignee, resolution,
    resolved_by, reason, resolved_at
  from :"home".state_sync_conflicts
  union all
  select
    known.id, 'merge', case
      when merge.status = 'aborted' then 'aborted'
      when merge.status = 'merged' then 'resolved'
      when known.resolution is not null then 'decided'
      when known.expired_at is not null then 'expired'
      else 'open'
    end, merge.agent, merge.source_name, merge.agent, merge.target_name, known.path,
    known.conflict || jsonb_build_object('id', known.id), array[coalesce(substring(known.path from '^/[^/]+/[^/]*'), known.path)], '[]', null,
    merge.id, merge.opened_at, merge.opened_at, 1, known.assignee, known.resolution, known.resolved_by, known.reason,
    coalesce(known.resolved_at, merge.ended_at)
  from :"home".state_conflicts known
  join :"home".state_merges merge on merge.id = known.merge
) one;
comment on view :"home".state_conflict_inbox is 'Conflicts of synchronisations and merges of agents'' states: what both sides have, who and why, and what became of them.';
