-- Whether this session may say that its engine is alive: not on a standby, and not in a reader's role.
select
  has_table_privilege(format('%I.engines', $1::text), 'insert')
  and has_table_privilege(format('%I.engines', $1::text), 'update')
  and not pg_is_in_recovery() as may_join
