-- What is over by now and was not ended: sessions, and checkpoints.
(
  select 'session' as what, agent, name as branch, null::uuid as checkpoint, session
  from :"schema".state_branches
  where session_ends_at <= clock_timestamp() and deleted_at is null
  order by session_ends_at
  limit $1
)
union all
(
  select 'checkpoint', agent_id, branch_name, id, null
  from :"schema".state_checkpoints
  where expires_at <= clock_timestamp() and dropped_at is null
  order by expires_at
  limit $1
)
