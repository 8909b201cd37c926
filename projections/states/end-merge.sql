-- A merge is over.
update :"state_merges"
set status = $2::jsonb ->> 'status', merged_version = coalesce(merged_version, ($2::jsonb ->> 'version')::bigint),
  ended_at = $3::timestamptz
where id = $1::uuid
