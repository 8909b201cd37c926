-- The keys of the hashes in states, one per agent. They are kept outside the log: where one is deleted, no hash of that agent's values
-- tells anything of them any more.
create table agent_secrets (
  agent       text  collate "C" primary key,
  secret      bytea not null check (length(secret) = 32),
  created_at  timestamptz not null default clock_timestamp()
);
comment on table agent_secrets is 'By which key the hashes of an agent''s state are made. Not for readers.';

insert into categories (category, telemetry)
values ('state', false), ('statetag', false), ('statemerge', false), ('statedefinition', false)
on conflict (category) do nothing;
