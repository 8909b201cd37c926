-- What a token is held against: the head of the log, and where the epochs after the token's began. A replica may lag: it is as
-- far as its events are, and what was written down as settled. Its sequence tells nothing: a logical replica's stays where it was,
-- and a standby's is ahead, because numbers are written to the WAL some 32 at a time.
select
  case when replica.is_replica
    then greatest((select max(position) from :"schema".log_events), (select position from :"schema".settled))
    else (select case when is_called then last_value else 0 end from :"schema".log_position)
  end as head,
  (select min(after_position) from :"schema".epochs where epoch > $1) as safe_up_to,
  replica.is_replica as standby
from (select :"schema".is_replica()) as replica (is_replica)
