-- How much there is of agents' states, as far as the read model `states` has folded them: a row for each agent, or for one.
create or replace function get_state_statistics(agent text default null)
returns table (
  agent_id          text,
  branches          bigint,
  deleted_branches  bigint,
  versions          bigint,
  keys              bigint,
  bytes             bigint,
  sessions          bigint,
  checkpoints       bigint,
  tags              bigint,
  open_merges       bigint,
  oldest_change     timestamptz,
  newest_change     timestamptz
)
language plpgsql
stable
set search_path from current
as $$
begin
  return query
    select
      one.agent, one.branches, one.deleted_branches, one.versions::bigint, held.keys, held.bytes, one.sessions,
      (select count(distinct point.id) from state_checkpoints point where point.agent_id = one.agent and point.dropped_at is null),
      (select count(*) from state_tags tag where tag.agent = one.agent),
      (select count(*) from state_merges merge where merge.agent = one.agent and merge.status = 'pending'),
      one.oldest_change, one.newest_change
    from (
      select
        known.agent,
        count(*) filter (where known.deleted_at is null) as branches,
        count(known.deleted_at) as deleted_branches,
        sum(known.version - known.born + 1) as versions,
        count(known.session) filter (where known.deleted_at is null) as sessions,
        min(known.created_at) as oldest_change,
        max(known.changed_at) as newest_change
      from state_branches known
      where get_state_statistics.agent is null or known.agent = get_state_statistics.agent
      group by known.agent
    ) one
    cross join lateral (
      -- A key that a branch has from another is counted once, with that one.
      select count(*) filter (where not key.is_absent) as keys, coalesce(sum(key.bytes) filter (where not key.is_absent), 0) as bytes
      from state_branches known
      join state_keys key on key.branch = known.branch
      where known.agent = one.agent
    ) held
    order by one.agent;
end
$$;
