-- Values of versions of a branch ($1) that are not kept any more: $2 tiers, $3 keys, $4 versions.
update :"state_key_versions" version
set value = null
from unnest($2::text[], $3::text[], $4::bigint[]) as one (tier, key, version)
where version.branch = $1 and version.tier = one.tier and version.key = one.key and version.version = one.version
