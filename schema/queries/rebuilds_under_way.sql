-- The generations that are being built, and by whom; by nobody where the builder is gone and the next rebuild cleans up.
select
  build.projection, build.generation, build.version, build.position, build.target, build.events,
  extract(epoch from build.changed_at - build.began_at)::float8 * 1000 as noted_ms,
  extract(epoch from clock_timestamp() - build.began_at)::float8 * 1000 as age_ms,
  builder.engine, builder.application, builder.host, builder.pid
from :"schema".generations build
left join :"schema".engines builder on builder.engine = build.owner and builder.alive_until > clock_timestamp()
where build.state = 'building'
order by build.began_at
