-- A branch ($1) that begins with a damaged version is damaged from its beginning on ($2); nothing counts of what came after, but its end.
update :"state_branches"
set faults = jsonb_build_array($2::jsonb), hash = decode($3, 'hex'), changed_at = coalesce(deleted_at, created_at)
where branch = $1
