-- The highest position drawn, 0 in an empty log.
select case when is_called then last_value else 0 end as head
from :"schema".log_position
