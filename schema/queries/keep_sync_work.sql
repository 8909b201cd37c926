-- A link $1 has these ways, from $2 to $3, and no others: what it had to bring on others is not to be brought any more.
delete from :"schema".sync_work work
where link = $1 and not exists (
  select from unnest($2::text[], $3::text[]) as way (source, target)
  where way.source = work.source and way.target = work.target
)
