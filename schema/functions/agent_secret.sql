-- The key of an agent's hashes; made where there is none. 244 bits of it are random.
create or replace function agent_secret(agent text)
returns bytea
language plpgsql
volatile
security definer
set search_path from current
as $$
declare
  _secret bytea;
begin
  select known.secret into _secret from agent_secrets known where known.agent = agent_secret.agent;
  if not found then
    _secret := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
    insert into agent_secrets (agent, secret)
    values (agent_secret.agent, _secret)
    on conflict do nothing;
    select known.secret into _secret from agent_secrets known where known.agent = agent_secret.agent;
  end if;
  return _secret;
end
$$;

revoke execute on function agent_secret from public;
