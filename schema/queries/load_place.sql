-- Whose a partition is and how far it is.
select
  owner, epoch, position,
  (select case when is_called then last_value else 0 end from :"schema".log_position) as head
from :"schema".subscription_cursors
where subscription = $1 and partition = $2
