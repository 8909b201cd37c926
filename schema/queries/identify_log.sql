-- Who this log is, and whether its sequence keeps the rules that order rests on.
select
  entered.log_id,
  entered.epoch,
  :"schema".wake_channel() as channel,
  sequence.seqcache = 1 and sequence.seqincrement = 1 and not sequence.seqcycle as sequence_is_sound,
  position.last_value as last_position,
  :"schema".is_replica() as standby
from :"schema".enter_epoch() as entered,
  pg_sequence as sequence,
  :"schema".log_position as position
where sequence.seqrelid = ':"schema".log_position'::regclass
