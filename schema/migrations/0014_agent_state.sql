-- The state of an agent at a version, as SQL gives it.
create type agent_state as (
  agent             text,
  branch            text,
  version           bigint,
  local_state       jsonb,
  shared_state      jsonb,
  session_state     jsonb,
  persistent_state  jsonb,
  state_hash        text,
  recorded_at       timestamptz
);
comment on type agent_state is 'What get_current_state, get_state_at_version and get_state_at_time return.';
