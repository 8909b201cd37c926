-- The branches of an agent ($1), or of all, that have values of versions before a time ($2), by number: so many ($3), after one ($4).
select branch.branch::float8 as branch, branch.agent, branch.name,
  (:"schema".version_at_time(branch.stream, $2) + 1)::float8 as before
from :"schema".state_branches branch
where ($1::text is null or branch.agent = $1) and branch.created_at < $2 and branch.deleted_at is null and branch.branch > $4
order by branch.branch
limit $3
