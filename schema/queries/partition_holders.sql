-- Who is at the partitions of a subscription that could not be taken: the engine that owns each, and the backend whose transaction
-- has its row. Of other roles' sessions little more than the pid is seen, unless one has pg_read_all_stats.
select
  cursor.partition,
  engine.application, engine.host, engine.pid,
  holder.pid as backend, session.application_name as session,
  extract(epoch from clock_timestamp() - session.xact_start)::float8 * 1000 as age_ms
from :"schema".subscription_cursors cursor
left join :"schema".engines engine on engine.engine = cursor.owner and not engine.has_left
left join pg_locks holder
  on holder.locktype = 'transactionid' and holder.granted and holder.transactionid = cursor.xmax
left join pg_stat_activity session on session.pid = holder.pid
where cursor.subscription = $1 and not cursor.partition = any ($2::integer[])
order by cursor.partition
