-- What the engines that are alive watch: of one agent ($1), of branches of one name ($2), or all of it.
select
  watched.agent, watched.branch, watched.paths, watched.name, watched.began_at as since,
  engine.engine, engine.application, engine.host, engine.pid, engine.process
from :"schema".watches watched
join :"schema".engines engine on engine.engine = watched.engine
where engine.alive_until > clock_timestamp() and not engine.has_left
  and ($1::text is null or watched.agent = $1)
  and ($2::text is null or watched.branch = $2)
order by watched.agent, watched.branch, watched.began_at, engine.engine, watched.watch
