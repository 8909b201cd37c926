-- What a token is held against: the head of the log, and where the epochs after the token's began. A standby may lag;
-- a logical replica's sequence stays where it was.
select
  greatest(
    (select case when is_called then last_value else 0 end from :"schema".log_position),
    (select position from :"schema".settled)
  ) as head,
  (select min(after_position) from :"schema".epochs where epoch > $1) as safe_up_to,
  :"schema".is_replica() as standby
