-- Whether this session may make and fill tables in the log's schema: not on a standby, and not in a writer's or a reader's role.
select has_schema_privilege($1, 'create') and not pg_is_in_recovery() as may_write
