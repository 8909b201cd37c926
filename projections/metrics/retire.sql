-- Measurements up to position $1 are over.
delete from :"performance_metrics" where id <= $1::bigint
