-- A link that is over has nothing to bring any more.
delete from :"schema".sync_work
where link = $1
