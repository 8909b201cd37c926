-- How the fleet is in a few numbers, as far as the read models have folded it.
create or replace function system_health()
returns table (metric text, value bigint)
language plpgsql
stable
set search_path from current
as $$
begin
  return query
    select 'Total Agents', count(*) from agents
    union all
    select 'Running Agents', count(*) from agents where state = 'running'
    union all
    select 'Recent Heartbeats (5min)', count(*) from agent_heartbeats where timestamp > now() - interval '5 minutes'
    union all
    select 'Error Events (1hour)', count(*)
    from system_events
    where severity in ('ERROR', 'CRITICAL') and timestamp > now() - interval '1 hour'
    union all
    select 'Late Agents', coalesce(sum(counts.agents), 0)::bigint from agent_health_counts counts where health = 'late'
    union all
    select 'Lost Agents', coalesce(sum(counts.agents), 0)::bigint from agent_health_counts counts where health = 'lost';
end
$$;
