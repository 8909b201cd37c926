-- Makes a role the owner of the log, which migrates it and owns its guards: psql -v schema=tidemark -v role=tidemark_owner -f owner.sql
-- Nobody else should sign in as it. Run by a superuser, or by a member of both roles, before the first migration.
create schema if not exists :"schema";
alter schema :"schema" owner to :"role";
