-- A branch ($1) that begins with a damaged version is damaged from its beginning on ($2); nothing counts of what came after, but its end. It
-- has the session that its parent has at that version, by what is known now, and the hash that it was said to have ($3).
with at_fork as (
  select session.session, session.ends_at
  from :"state_branches" self
  join :"state_sessions" session on session.branch = self.parent and session.version <= self.parent_version
  where self.branch = $1
  order by session.version desc
  limit 1
),
begun as (
  insert into :"state_sessions" (branch, version, session, ends_at)
  select self.branch, self.born, at_fork.session, at_fork.ends_at
  from :"state_branches" self, at_fork
  where self.branch = $1 and at_fork.session is not null
  on conflict (branch, version) do nothing
)
update :"state_branches" branch
set faults = jsonb_build_array($2::jsonb), hash = decode($3, 'hex'), changed_at = coalesce(deleted_at, created_at),
  session = (select session from at_fork), session_ends_at = (select ends_at from at_fork)
where branch.branch = $1
