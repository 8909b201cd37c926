-- Raises TM009: there is no such branch of an agent's state, or it was deleted.
create or replace function refuse_branch(agent text, branch text)
returns void
language plpgsql
volatile
as $$
begin
  raise exception 'the state of "%" has no branch "%"', agent, branch
    using errcode = 'TM009', detail = jsonb_build_object('agent', agent, 'branch', branch),
      hint = 'Name one of its branches, which state_branches lists; main begins with its first update.';
end
$$;
