-- Which engine that is alive folds each projection, how fast, and what stopped those that did. What it folded before the last $1 ms
-- leaves its rate bit by bit, also where it writes nothing.
select
  projection.name, projection.position, projection.state, projection.error,
  projection.rate * greatest(0, 1 - extract(epoch from clock_timestamp() - projection.moved_at)::float8 * 1000 / $1) as rate,
  holder.engine, holder.application, holder.host, holder.pid
from :"schema".projections projection
left join :"schema".engines holder on holder.engine = projection.owner and holder.alive_until > clock_timestamp()
