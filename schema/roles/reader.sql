-- Lets a role read the log and its read models: psql -v schema=tidemark -v role=dashboard -f reader.sql
grant usage on schema :"schema" to :"role";
grant select on all tables in schema :"schema" to :"role";
alter default privileges in schema :"schema" grant select on tables to :"role";
grant select on sequence :"schema".log_position to :"role";
grant execute on function :"schema".enter_epoch() to :"role";
