-- Raises TM013: a version of a state cannot be told for sure, or gone on from.
create or replace function refuse_damaged(agent text, branch text, version bigint, good bigint)
returns void
language plpgsql
volatile
as $$
begin
  raise exception 'branch "%" of the state of "%" is damaged from version % on', branch, agent, version
    using errcode = 'TM013', detail = jsonb_build_object('agent', agent, 'branch', branch, 'version', version, 'good', good),
      hint = 'Read the version that was good last, and have the library verify and repair the branch.';
end
$$;
