-- What there is to be known of a server before a log is opened on it, for the schema $1: its version, who asks, whether the schema is there, and
-- whether this role may make it, or write into it.
select
  current_setting('server_version') as version,
  current_user as role,
  to_regnamespace(quote_ident($1)) is not null as "isThere",
  not pg_is_in_recovery() and case
    when to_regnamespace(quote_ident($1)) is null then has_database_privilege(current_database(), 'create')
    else has_schema_privilege($1, 'create')
  end as "mayWrite"
