-- Why a checkpoint was ended, where it was; and whether the time ($2) by which it is over has come, by the clock of the server.
select
  (
    select dropped_because
    from :"schema".state_checkpoints
    where id = $1
    limit 1
  ) as why,
  coalesce($2::timestamptz <= clock_timestamp(), false) as "isOver"
