-- Heartbeats up to position $1 are over.
delete from :"agent_heartbeats" where id <= $1::bigint
