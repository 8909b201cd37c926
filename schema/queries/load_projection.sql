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
  (select case when is_called then last_value else 0 end from :"schema".log_position) as head
from :"schema".projections projection
where projection.name = $1
