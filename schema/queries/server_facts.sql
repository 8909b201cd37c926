-- One row of all that the doctor asks the server about itself and the log of schema $1: settings with who set them, and what stands in the way.
-- What this role may not see is null, or missing among the settings. Tables of $2 rows and more are told with their own settings.
with log_relation as (
  select class.oid, class.relkind, class.relname, class.reltuples, class.reloptions
  from pg_class class
  join pg_namespace namespace on namespace.oid = class.relnamespace
  where namespace.nspname = $1
)
select
  current_setting('server_version') as "serverVersion",
  current_setting('server_version_num')::integer as "versionNumber",
  pg_encoding_to_char(own.encoding) as encoding,
  own.datname as database,
  current_user as "user",
  pg_is_in_recovery() as "isStandby",
  age(own.datfrozenxid) as "transactionIdAge",
  pg_notification_queue_usage() as "notifyQueueUsage",
  inet_server_addr() is null or inet_server_addr() = inet_client_addr() as "isLocal",
  (
    select json_object_agg(name, json_build_object(
      'value', setting, 'unit', unit, 'context', context, 'source', source, 'isPending', pending_restart
    ))
    from pg_settings
  ) as settings,
  (select count(*) from pg_stat_activity where backend_type = 'client backend' or backend_type is null)::integer as connections,
  (select count(*) from :"schema".engines where alive_until > clock_timestamp())::integer as engines,
  (
    select count(*)
    from pg_inherits
    join log_relation partition on partition.oid = inhrelid and partition.relkind = 'r'
  )::integer as partitions,
  (
    select count(*)
    from pg_index
    join pg_inherits on inhrelid = indrelid
    join log_relation partition on partition.oid = indrelid and partition.relkind = 'r'
  )::integer as "partitionIndexes",
  (
    select coalesce(json_agg(json_build_object('table', relname, 'rows', reltuples, 'options', coalesce(to_json(reloptions), '[]')) order by reltuples desc), '[]')
    from log_relation
    where relkind = 'r' and reltuples >= $2
  ) as "bigTables",
  (
    select coalesce(json_agg(json_build_object(
      'name', slot_name, 'isActive', active, 'holdsRows', coalesce(xmin, catalog_xmin) is not null, 'walStatus', wal_status,
      'retainedBytes', pg_wal_lsn_diff(
        case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, restart_lsn)
    ) order by slot_name), '[]')
    from pg_replication_slots
    where not temporary
  ) as slots,
  exists (select from pg_available_extensions where name = 'pg_stat_statements') as "hasStatements"
from pg_database own
where own.datname = current_database()
