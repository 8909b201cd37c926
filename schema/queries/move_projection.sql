-- The first statement of every batch: the cursor moves only from where this process believes it to be, and only under its
-- own epoch and definition. No row means that another process was here, or is here now, and this one writes nothing.
update :"schema".projections
set position = $5, state = 'running', error = null, rate = $7, moved_at = clock_timestamp()
where name = (
  select name
  from :"schema".projections
  where name = $1 and definition_hash = $2 and epoch = $3 and position = $4 and owner = $6
  for update skip locked
)
