-- How far a projection has come, and where the log's head is, for a cursor that lies beyond it.
select
  projection.version,
  projection.definition_hash,
  projection.generation,
  projection.epoch,
  projection.owner,
  projection.position,
  projection.state,
  projection.error,
  head.last_value as head
from :"schema".projections projection, :"schema".log_position head
where projection.name = $1
