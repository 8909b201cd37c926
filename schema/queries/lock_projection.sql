-- The row of a projection, held until its views are replaced: no batch is folded meanwhile.
select
  version, definition_hash, generation, epoch, owner, position, state, error,
  (select case when is_called then last_value else 0 end from :"schema".log_position) as head
from :"schema".projections
where name = $1
for update
