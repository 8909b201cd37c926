-- Which engine that is alive folds each projection, and what stopped those that did.
select
  projection.name, projection.position, projection.state, projection.error,
  holder.engine, holder.application, holder.host, holder.pid
from :"schema".projections projection
left join :"schema".engines holder on holder.engine = projection.owner and holder.alive_until > clock_timestamp()
