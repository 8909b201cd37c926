-- Sessions whose time is over and of which no event says so yet, as far as that is folded, the oldest first: so many ($1), after the one ($3) whose time
-- was over at $2.
select session_id as session, expires_at as "expiresAt"
from :"schema".session_records
where status = 'active' and expires_at <= now()
  and (expires_at, session_id) > (coalesce($2::timestamptz, '-infinity'), coalesce($3::text, ''))
order by expires_at, session_id
limit $1
