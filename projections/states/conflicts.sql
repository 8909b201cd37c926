-- The conflicts of a merge, by path.
select path, kind, conflict, resolution, resolved_by as "resolvedBy", reason, resolved_at as "resolvedAt"
from :"schema".state_conflicts
where merge = $1
order by path
