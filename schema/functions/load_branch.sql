-- A branch as it is now, or was at a version: its row, the wanted keys, and what is not folded yet of its stream.
--   $1 stream · $2 branch (one of both) · $3 up to which version; null: to its end
--   $4 whole tiers · $5, $6 tiers and keys of single ones
-- `moment` is when what is folded of it came to be so: the hash of the state, the position, when that was recorded, and its session.
-- A key that the branch has not touched is its parent's as that was at the fork, and so on.
create or replace function load_branch(text, bigint, bigint, text[], text[], text[])
returns table (branch jsonb, keys jsonb, stream text, moment jsonb, tail jsonb, secret text)
language plpgsql
stable
set search_path from current
-- To plan this takes longer than to run it. By the indexes, however large the tables are, or were when the plan was made: an agent has few
-- of all keys that there are.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  return query
    with folded as materialized (
      (
        select *
        from state_branches
        where stream = $1
        order by branch desc
        limit 1
      )
      union all
      select *
      from state_branches
      where branch = $2
    ),
    place as materialized (
      select coalesce(
        $1,
        (select stream from folded),
        (select stream from events where position = $2 and type in ('StateCreated', 'StateBranched'))
      ) as stream
    ),
    lineage as (
      select
        line.branch,
        case when line.depth = 1 then least(coalesce($3, folded.version), folded.version) else line.up_to end as up_to,
        line.depth
      from folded
      cross join unnest(folded.lineage, folded.lineage_up_to) with ordinality as line (branch, up_to, depth)
    ),
    touched as (
      select found.*, lineage.up_to, lineage.depth
      from lineage
      cross join lateral (
        select key.*
        from state_keys key
        where key.branch = lineage.branch and key.tier = any ($4::text[])
        union all
        select key.*
        from unnest($5::text[], $6::text[]) as wanted (tier, key)
        -- Key by key: the planner takes every state for a small one, where most are, and would read all that this one has.
        cross join lateral (
          select * from state_keys one where one.branch = lineage.branch and one.tier = wanted.tier and one.key = wanted.key offset 0
        ) key
        where not wanted.tier = any ($4::text[])
      ) found
    ),
    dated as (
      select
        touched.branch, touched.tier, touched.key, touched.depth, touched.bytes,
        coalesce(older.version, touched.version) as version,
        case when older.version is null then touched.hash else older.hash end as hash,
        case when older.version is null then touched.value else older.value end as value,
        case when older.version is null then touched.is_absent else older.is_absent end as is_absent
      from touched
      left join lateral (
        select one.version, one.hash, one.value, one.is_absent
        from state_key_versions one
        where one.branch = touched.branch and one.tier = touched.tier and one.key = touched.key and one.version <= touched.up_to
        order by one.version desc
        limit 1
      ) older on touched.version > touched.up_to
      where touched.version <= touched.up_to or older.version is not null
    ),
    nearest as (
      select distinct on (tier, key) *, not is_absent and value is null as is_patched
      from dated
      order by tier, key, depth
    )
    select
      (select to_jsonb(folded) from folded) as branch,
      (
        select jsonb_agg(
          jsonb_build_array(
            nearest.tier, nearest.key, encode(nearest.hash, 'hex'), nearest.value, nearest.bytes,
            case when nearest.is_patched then patched.steps end, nearest.is_absent
          )
        )
        from nearest
        left join lateral (
          select jsonb_build_array(anchor.value, anchor.is_absent, (
            select coalesce(jsonb_agg(event.data -> 'patch' order by step.version), '[]')
            from state_key_versions step
            join state_branches home on home.branch = step.branch
            -- Event by event, for the same reason.
            cross join lateral (
              select one.data from events one where one.stream = home.stream and one.version = step.version offset 0
            ) event
            where step.branch = nearest.branch and step.tier = nearest.tier and step.key = nearest.key
              and step.version > anchor.version and step.version <= nearest.version
          )) as steps
          from (
            select one.version, one.value, one.is_absent
            from state_key_versions one
            where nearest.is_patched and one.branch = nearest.branch and one.tier = nearest.tier and one.key = nearest.key
              and one.version <= nearest.version and (one.is_absent or one.value is not null)
            order by one.version desc
            limit 1
          ) anchor
        ) patched on nearest.is_patched
      ) as keys,
      (select stream from place) as stream,
      (
        select jsonb_build_array(
          event.data -> 'hash', event.position, (extract(epoch from event.recorded_at) * 1000)::float8,
          (
            select session.session
            from state_sessions session
            where session.branch = (select branch from folded) and session.version <= $3
            order by session.version desc
            limit 1
          )
        )
        from events event
        where event.stream = (select stream from place) and event.version <= least($3, (select version from folded)) and event.data ? 'hash'
          and $3 is not null
        order by event.version desc
        limit 1
      ) as moment,
      (
        select jsonb_agg(
          jsonb_build_array(
            event.version, event.position, event.id, event.type, event.data, event.meta,
            (extract(epoch from event.recorded_at) * 1000)::float8
          ) order by event.version
        )
        from events event
        where event.stream = (select stream from place)
          and event.version > coalesce((select version from folded), 0)
          and event.version <= coalesce($3, 9223372036854775807)
      ) as tail,
      (
        select encode(secret, 'hex')
        from agent_secrets
        where agent = (select substr(stream, strpos(stream, '@') + 1) from place)
      ) as secret;
end
$$;
