-- An event must not be visible before it is durable: a subscriber would have acted on an event that a crash takes back.
create or replace function keep_commits_durable()
returns void
language plpgsql
volatile
as $$
begin
  if current_setting('synchronous_commit') = 'off' then
    perform set_config('synchronous_commit', 'local', true);
  end if;
end
$$;
