-- From a version ($2) of a branch ($1) on, what another ($3) has up to a version ($4) is known, and what was known there by then. After a
-- repair it may be there already.
insert into :"state_points" (branch, version, known)
select $1::bigint, $2::bigint, jsonb_object_agg(met.branch, met.version)
from (
  select known.branch, max(known.version) as version
  from (
    select $3::bigint as branch, $4::bigint as version
    union all
    select one.key::bigint, one.value::bigint
    from (
      (select known from :"state_points" where branch = $1::bigint and version < $2::bigint order by version desc limit 1)
      union all
      (select known from :"state_points" where branch = $3::bigint and version <= $4::bigint order by version desc limit 1)
    ) point
    cross join jsonb_each_text(point.known) one
  ) known
  where known.branch <> $1::bigint
  group by known.branch
) met
on conflict (branch, version) do nothing
