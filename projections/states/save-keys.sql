-- Keys as they are after a batch, and the versions at which it changed them; $3: values of earlier versions that are anchors from now on.
with keys as (
  insert into :"state_keys" as key (branch, tier, key, version, hash, is_absent, value, bytes, patches, patch_bytes)
  select branch, tier, one.key, version, decode(hash, 'hex'), is_absent, case when is_here then coalesce(value, 'null') end, bytes, patches, patch_bytes
  from jsonb_to_recordset($1::jsonb) as one (
    branch bigint, tier text, key text, version bigint, hash text, value jsonb, is_absent boolean, is_here boolean, bytes integer,
    patches integer, patch_bytes integer
  )
  on conflict (branch, tier, key) do update
  set version = excluded.version, hash = excluded.hash, is_absent = excluded.is_absent, value = excluded.value, bytes = excluded.bytes,
    patches = excluded.patches, patch_bytes = excluded.patch_bytes
),
versions as (
  insert into :"state_key_versions" (branch, tier, key, version, hash, is_absent, value)
  select branch, tier, key, version, decode(hash, 'hex'), is_absent, case when is_anchor then coalesce(value, 'null') end
  from jsonb_to_recordset($2::jsonb) as one (
    branch bigint, tier text, key text, version bigint, hash text, is_absent boolean, is_anchor boolean, value jsonb
  )
)
update :"state_key_versions" version
set value = coalesce(one.value, 'null')
from jsonb_to_recordset($3::jsonb) as one (branch bigint, tier text, key text, version bigint, value jsonb)
where version.branch = one.branch and version.tier = one.tier and version.key = one.key and version.version = one.version
