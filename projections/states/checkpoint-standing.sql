-- Why a checkpoint ($1), made in a stream ($2), was ended, where it was; and whether the time ($3) by which it is over has come, by the
-- clock of the server.
select
  :"schema".checkpoint_dropped($1, $2) as why,
  coalesce($3::timestamptz <= clock_timestamp(), false) as "isOver"
