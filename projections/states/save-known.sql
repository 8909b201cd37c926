-- From a version ($2) of a branch ($1) on, what is known of other branches ($5) as far as keys are concerned ($3 tiers, $4 keys). After a
-- repair it may be there already.
insert into :"state_known" (branch, tier, key, version, known)
select $1::bigint, one.tier, one.key, $2::bigint, one.known
from unnest($3::text[], $4::text[], $5::jsonb[]) as one (tier, key, known)
on conflict (branch, tier, key, version) do nothing
