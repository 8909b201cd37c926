-- Lets a role read the log and its read models: psql -v schema=tidemark -v role=dashboard -f reader.sql
grant usage on schema :"schema" to :"role";
grant select on all tables in schema :"schema" to :"role";
-- By these, whoever guesses a value could tell from the hashes of a state whether it is, or was, in there.
revoke select on :"schema".agent_secrets from :"role";
alter default privileges in schema :"schema" grant select on tables to :"role";
grant select on sequence :"schema".log_position to :"role";
grant execute on function :"schema".enter_epoch() to :"role";
