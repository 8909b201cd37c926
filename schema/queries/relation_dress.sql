-- The statements that give a new relation ($2), by then called $3, what was done to an old one ($1) by hand: grants, row security,
-- comments, owner; what was done to the new one goes.
with pair as (
  select old.oid as old, old.relowner as owner, old.relkind as kind, old.relacl as acl, old.relrowsecurity, old.relforcerowsecurity,
    new.oid as new, new.relacl as new_acl, new.relowner as new_owner, $3::text as name
  from pg_class old, pg_class new
  where old.oid = to_regclass($1) and new.oid = to_regclass($2)
),
statements (step, statement) as (
  select 0, format('drop policy %I on %s', policy.polname, pair.name)
  from pair join pg_policy policy on policy.polrelid = pair.new
  union
  select 0, format('alter table %s disable row level security, no force row level security', pair.name)
  from pair where pair.kind <> 'v'
  union
  select 1, format('revoke all on %s from %s', pair.name, case given.grantee when 0 then 'public' else given.grantee::regrole::text end)
  from pair, aclexplode(pair.new_acl) given
  where given.grantee <> pair.new_owner
  union
  select 2, format('grant %s on %s to %s%s', given.privilege_type, pair.name,
    case given.grantee when 0 then 'public' else given.grantee::regrole::text end,
    case when given.is_grantable then ' with grant option' else '' end)
  from pair, aclexplode(pair.acl) given
  where given.grantee <> pair.owner
  union
  select 3, format('grant %s (%I) on %s to %s%s', given.privilege_type, old.attname, pair.name,
    case given.grantee when 0 then 'public' else given.grantee::regrole::text end,
    case when given.is_grantable then ' with grant option' else '' end)
  from pair
  join pg_attribute old on old.attrelid = pair.old and old.attnum > 0 and not old.attisdropped and old.attacl is not null
  join pg_attribute new on new.attrelid = pair.new and new.attname = old.attname and new.attnum > 0 and not new.attisdropped
  cross join aclexplode(old.attacl) given
  where given.grantee <> pair.owner
  union
  select 4, format('create policy %I on %s as %s for %s to %s%s%s', policy.polname, pair.name,
    case when policy.polpermissive then 'permissive' else 'restrictive' end,
    case policy.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
    (select string_agg(case member when 0 then 'public' else member::regrole::text end, ', ') from unnest(policy.polroles) member),
    ' using (' || pg_get_expr(policy.polqual, policy.polrelid) || ')',
    ' with check (' || pg_get_expr(policy.polwithcheck, policy.polrelid) || ')')
  from pair join pg_policy policy on policy.polrelid = pair.old
  union
  select 5, format('alter table %s enable row level security', pair.name) from pair where pair.relrowsecurity
  union
  select 5, format('alter table %s force row level security', pair.name) from pair where pair.relforcerowsecurity
  union
  select 6, format('comment on view %s is %L', pair.name, obj_description(pair.old, 'pg_class'))
  from pair where pair.kind = 'v' and obj_description(pair.old, 'pg_class') is not null
  union
  select 6, format('comment on column %s.%I is %L', pair.name, old.attname, col_description(pair.old, old.attnum))
  from pair
  join pg_attribute old on pair.kind = 'v' and old.attrelid = pair.old and col_description(pair.old, old.attnum) is not null
  join pg_attribute new on new.attrelid = pair.new and new.attname = old.attname and new.attnum > 0 and not new.attisdropped
  union
  select 7, format('alter table %s owner to %s', pair.name, pair.owner::regrole) from pair where pair.owner <> pair.new_owner
)
select statement from statements order by step, statement
