-- The generations of a projection, and who builds one, if that engine is alive.
select
  generation.generation, generation.version, generation.definition_hash, generation.relations, generation.state,
  generation.position, generation.build, generation.changed_at,
  builder.engine, builder.application, builder.host, builder.pid,
  extract(epoch from clock_timestamp() - generation.began_at)::float8 * 1000 as age_ms
from :"schema".generations generation
left join :"schema".engines builder
  on generation.state = 'building' and builder.engine = generation.owner and builder.alive_until > clock_timestamp()
where generation.projection = $1
order by generation.generation
