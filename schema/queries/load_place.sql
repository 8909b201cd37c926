-- Whose a partition is and how far it is; whether the owner before ended in good order, and else at which event, where that is known.
select
  owner, epoch, position, clean_epoch >= epoch - 1 as is_clean, begun,
  (select case when is_called then last_value else 0 end from :"schema".log_position) as head
from :"schema".subscription_cursors
where subscription = $1 and partition = $2
