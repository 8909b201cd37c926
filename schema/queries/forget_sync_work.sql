-- A link has nothing to bring any more: it is over, or only what has to do with these branches.
delete from :"schema".sync_work
where link = $1 and ($2::text[] is null or source = any ($2) or target = any ($2))
